import type { Pod, PodQOSClass, ResourceRequirements } from '@berth/api/types/core/v1'
import { amountOf } from './resources.ts'

const counted = ['cpu', 'memory'] as const

type Kind = 'none' | 'guaranteed' | 'burstable'

function kindOf(resources: ResourceRequirements | undefined): Kind {
  let set = false
  let guaranteed = true
  for (const name of counted) {
    const request = resources?.requests?.[name]
    const limit = resources?.limits?.[name]
    const requested = request === undefined ? 0 : amountOf(name, request)
    const limited = limit === undefined ? 0 : amountOf(name, limit)
    if (requested > 0 || limited > 0) set = true
    if (limited <= 0 || (request !== undefined && requested !== limited)) guaranteed = false
  }
  return !set ? 'none' : guaranteed ? 'guaranteed' : 'burstable'
}

/** A pod's quality-of-service class: the status' where it is set (it is fixed at creation), else computed by the rules of core/v1 PodQOSClass. */
export function podQos(pod: Pick<Pod, 'spec' | 'status'>): PodQOSClass {
  return pod.status?.qosClass ?? computePodQos(pod)
}

/** A pod's quality-of-service class by its spec alone: init containers count, pod-level resources replace the containers'. */
export function computePodQos(pod: Pick<Pod, 'spec'>): PodQOSClass {
  const kinds = pod.spec.resources !== undefined && Object.keys(pod.spec.resources).length > 0
    ? [kindOf(pod.spec.resources)]
    : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((c) => kindOf(c.resources))
  if (kinds.every((kind) => kind === 'none')) return 'BestEffort'
  return kinds.every((kind) => kind === 'guaranteed') ? 'Guaranteed' : 'Burstable'
}
