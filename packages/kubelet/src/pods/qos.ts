import type { Container, Pod, PodQOSClass, ResourceList } from '@berth/api/types/core/v1'
import { parseQuantity } from '@berth/kube'

const counted = ['cpu', 'memory'] as const

/** Is this amount given, and more than nothing? */
const positive = (list: ResourceList | undefined, name: string): string | undefined => {
  const text = list?.[name]
  return text !== undefined && parseQuantity(text).milliValue() > 0n ? text : undefined
}

/**
 * Guaranteed: every container limits cpu and memory and requests exactly that. BestEffort: nothing is requested or limited. Else Burstable.
 * Pod-level resources, where given, decide alone.
 */
export function podQosClass(pod: Pod): PodQOSClass {
  const level = pod.spec.resources
  const sources: Pick<Container, 'resources'>[] =
    level && (level.requests || level.limits) ? [{ resources: level }] : [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  let any = false
  let guaranteed = true
  for (const { resources } of sources) {
    for (const name of counted) {
      const request = positive(resources?.requests, name)
      const limit = positive(resources?.limits, name)
      if (request !== undefined || limit !== undefined) any = true
      const equal = limit !== undefined && (request === undefined || parseQuantity(request).cmp(parseQuantity(limit)) === 0)
      if (!equal) guaranteed = false
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}
