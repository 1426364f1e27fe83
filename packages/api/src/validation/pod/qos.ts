import type { PodSpec, ResourceRequirements } from '../../types/core/v1.ts'
import { quantity } from '../common.ts'

const counted = ['cpu', 'memory']

/** A pod's class of service: Guaranteed if every container limits cpu and memory and requests just that, BestEffort if none asks for anything, else Burstable. */
export function podQosClass(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const all: (ResourceRequirements | undefined)[] = spec.resources && (spec.resources.limits || spec.resources.requests)
    ? [spec.resources]
    : [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => container.resources)
  const asked = (list: Record<string, string> | undefined, name: string) => (list?.[name] !== undefined && quantity(list[name]).sign() > 0 ? quantity(list[name]) : undefined)
  const any = all.some((resources) => counted.some((name) => asked(resources?.requests, name) ?? asked(resources?.limits, name)))
  if (!any) return 'BestEffort'
  const guaranteed = all.every((resources) => counted.every((name) => {
    const limit = asked(resources?.limits, name)
    const request = asked(resources?.requests, name) ?? limit
    return limit !== undefined && request !== undefined && request.cmp(limit) === 0
  }))
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
