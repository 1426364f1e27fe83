import { parseQuantity } from '@berth/kube'
import type { Container, Pod } from '@berth/api/types/core/v1'
import { podAmounts } from '@berth/pod-rules'

/** What each pod requests of a resource, in thousandths, by name: of one container, else of the whole pod. Throws where one does not say. */
export function requestsOf(pods: readonly Pod[], resource: string, container: string | undefined): ReadonlyMap<string, bigint> {
  return new Map(pods.map((pod) => [pod.metadata.name, container === undefined && pod.spec.resources?.requests !== undefined ? ofPodLevel(pod, resource) : ofContainers(pod, resource, container)]))
}

function ofPodLevel(pod: Pod, resource: string): bigint {
  const amount = podAmounts(pod)[resource]
  if (amount === undefined) throw new Error(`missing pod-level request for ${resource} in Pod ${pod.metadata.name}`)
  return BigInt(Math.round(resource === 'cpu' ? amount : amount * 1000))
}

function ofContainers(pod: Pod, resource: string, wanted: string | undefined): bigint {
  const { name } = pod.metadata
  const sidecars = (pod.spec.initContainers ?? []).filter((each) => each.restartPolicy === 'Always')
  const counted = [...pod.spec.containers, ...sidecars].filter((each) => wanted === undefined || each.name === wanted)
  if (counted.length === 0 && wanted !== undefined) throw new Error(`container ${wanted} not found in Pod ${name}`)
  return counted.reduce((sum, each) => sum + requestOf(each, resource, name), 0n)
}

function requestOf(container: Container, resource: string, pod: string): bigint {
  const request = container.resources?.requests?.[resource]
  if (request === undefined) throw new Error(`missing request for ${resource} in container ${container.name} of Pod ${pod}`)
  return parseQuantity(request).milliValue()
}
