import type { Pod, ResourceFieldSelector } from '@berth/api/types/core/v1'
import { parseQuantity } from '@berth/kube'
import { findContainer } from './containers.ts'

/** What the downward API knows besides the pod. */
export interface DownwardFacts {
  hostIps: readonly string[]
  podIps: readonly string[]
  /** Stands in for a limit that a container does not have. */
  nodeAllocatable: Record<string, string>
}

const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/

const quoted = (map: Record<string, string> | undefined): string =>
  Object.entries(map ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}=${JSON.stringify(v)}`).join('\n')

/** The value of a `fieldRef`. Throws with upstream's words on a path that has none. */
export function fieldValue(pod: Pod, path: string, facts: DownwardFacts): string {
  const one = subscript.exec(path)
  if (one) return (one[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations)?.[one[2] ?? ''] ?? ''
  switch (path) {
    case 'metadata.name': return pod.metadata.name
    case 'metadata.namespace': return pod.metadata.namespace ?? ''
    case 'metadata.uid': return pod.metadata.uid ?? ''
    case 'metadata.labels': return quoted(pod.metadata.labels)
    case 'metadata.annotations': return quoted(pod.metadata.annotations)
    case 'spec.nodeName': return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName': return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP': return facts.hostIps[0] ?? ''
    case 'status.hostIPs': return facts.hostIps.join(',')
    case 'status.podIP': return facts.podIps[0] ?? ''
    case 'status.podIPs': return facts.podIps.join(',')
    default: throw new Error(`unsupported fieldPath: ${path}`)
  }
}

/** The value of a `resourceFieldRef`, divided by its divisor and rounded up. */
export function resourceValue(pod: Pod, selector: ResourceFieldSelector, containerName: string, facts: DownwardFacts): string {
  const name = selector.containerName || containerName
  const found = findContainer(pod, name)
  if (!found) throw new Error(`container ${name} not found`)
  const [which, ...rest] = selector.resource.split('.')
  const resource = rest.join('.')
  if ((which !== 'limits' && which !== 'requests') || resource === '') throw new Error(`unsupported container resource : ${selector.resource}`)
  const given = found.spec.resources?.[which]?.[resource]
  const text = given ?? (which === 'limits' ? facts.nodeAllocatable[resource] : undefined) ?? '0'
  const divisor = selector.divisor && parseQuantity(selector.divisor).milliValue() !== 0n ? selector.divisor : '1'
  const [value, by] = resource === 'cpu' ? [parseQuantity(text).milliValue(), parseQuantity(divisor).milliValue()] : [parseQuantity(text).value(), parseQuantity(divisor).value()]
  const unit = by > 0n ? by : 1n
  return String((value + unit - 1n) / unit)
}
