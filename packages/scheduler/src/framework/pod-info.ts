import type { Pod } from '@berth/api/types/core/v1'
import { hostPortsOf, podAmounts, type HostPort, type ResourceAmounts } from '@berth/pod-rules'
import { affinityTermsOf, type AffinityTerms } from './affinity-term.ts'
import { Resources } from './resources.ts'
import { textOf } from './text-of.ts'

/** What a container counts for in scores when it asks for nothing (upstream: util/pod_resources.go). */
const nonZeroDefaults: ResourceAmounts = { cpu: 100, memory: 200 * 1024 * 1024 }

/** Texts by which the engine tells pods apart; each is made when it is first asked for. */
export class PodTexts {
  readonly #labelsOf: Pod['metadata']['labels']
  readonly #namespace: string
  readonly #deleting: boolean
  #group: string | undefined

  constructor({ metadata }: Pod) {
    this.#labelsOf = metadata.labels
    this.#namespace = metadata.namespace ?? 'default'
    this.#deleting = Boolean(metadata.deletionTimestamp)
  }

  /** For equal texts no selector of anybody tells two pods apart. */
  get group(): string {
    this.#group ??= `${this.#namespace} ${this.#deleting ? '-' : '+'} ${this.#labelsOf === undefined ? '' : textOf(this.#labelsOf)}`
    return this.#group
  }
}

/** A pod with what plugins need of it computed once. */
export interface PodInfo {
  readonly key: string
  readonly pod: Pod
  readonly namespace: string
  /** What it takes of a node. */
  readonly amounts: ResourceAmounts
  readonly requests: Resources
  /** The same with defaults for containers that ask for nothing: scores use it. */
  readonly nonZero: { readonly milliCpu: number; readonly memory: number }
  readonly terms: AffinityTerms
  readonly hostPorts: readonly HostPort[]
  readonly hasAffinity: boolean
  readonly texts: PodTexts
}

export function podKey(pod: Pod): string {
  return `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`
}

/** A pod's priority; 0 for one that has none. */
export function priorityOf({ pod }: PodInfo): number {
  return pod.spec.priority ?? 0
}

/** What a pod's containers come to. */
type Shape = Pick<PodInfo, 'amounts' | 'requests' | 'nonZero' | 'hostPorts'>

function computeShape(pod: Pod): Shape {
  const amounts = podAmounts(pod, { statusResources: true })
  const nonZero = podAmounts(pod, { statusResources: true, missing: nonZeroDefaults })
  return { amounts, requests: Resources.of(amounts), nonZero: { milliCpu: nonZero.cpu ?? 0, memory: nonZero.memory ?? 0 }, hostPorts: hostPortsOf(pod) }
}

/** By the containers, which pods of one template share. */
const shapes = new WeakMap<object, { readonly spec: Pod['spec']; readonly shape: Shape }>()

/** Pods of one template have the same shape, as long as none of them is being resized. */
function shapeOf(pod: Pod): Shape {
  const { spec, status } = pod
  if ((status?.containerStatuses?.length ?? 0) + (status?.initContainerStatuses?.length ?? 0) > 0) return computeShape(pod)
  const known = shapes.get(spec.containers)
  if (known && known.spec.initContainers === spec.initContainers && known.spec.overhead === spec.overhead && known.spec.resources === spec.resources) return known.shape
  const shape = computeShape(pod)
  const { containers, initContainers, overhead, resources } = spec
  shapes.set(containers, { spec: { containers, ...(initContainers ? { initContainers } : {}), ...(overhead ? { overhead } : {}), ...(resources ? { resources } : {}) }, shape })
  return shape
}

/** Computes a pod's info. Throws QuantityError for amounts that are none. */
export function podInfoOf(pod: Pod): PodInfo {
  const { amounts, requests, nonZero, hostPorts } = shapeOf(pod)
  const terms = affinityTermsOf(pod)
  return {
    key: podKey(pod),
    pod,
    namespace: pod.metadata.namespace ?? 'default',
    amounts,
    requests,
    nonZero,
    terms,
    hostPorts,
    hasAffinity: terms.required.length + terms.requiredAnti.length + terms.preferred.length + terms.preferredAnti.length > 0,
    texts: new PodTexts(pod),
  }
}
