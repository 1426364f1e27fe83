import type { ResourceClaim } from '@berth/api/types/resource/v1'

/** Whether the devices of a claim are ready to be used by a pod: `ready`, `waiting`, or why they never will be. */
export function readiness(claim: ResourceClaim): 'ready' | 'waiting' | { readonly failure: string } {
  const { allocation, devices = [] } = claim.status ?? {}
  if (!allocation) return 'waiting'
  for (const { driver, pool, device, bindingConditions = [], bindingFailureConditions = [] } of allocation.devices?.results ?? []) {
    if (bindingConditions.length === 0) continue
    const status = devices.find((candidate) => candidate.device === device && candidate.driver === driver && candidate.pool === pool)
    if (!status) return 'waiting'
    const isTrue = (type: string) => (status.conditions ?? []).find((condition) => condition.type === type && condition.status === 'True')
    for (const type of bindingFailureConditions) {
      const failed = isTrue(type)
      if (failed) return { failure: `device binding failed: claim=${claim.metadata.name}, reason=${failed.reason}, message=${JSON.stringify(failed.message)}` }
    }
    if (!bindingConditions.every(isTrue)) return 'waiting'
  }
  return 'ready'
}

export function hasBindingConditions({ status }: ResourceClaim): boolean {
  return (status?.allocation?.devices?.results ?? []).some(({ bindingConditions = [] }) => bindingConditions.length > 0)
}

/** Whether a claim has waited for its devices for as long as it may. */
export function isOverdue(claim: ResourceClaim, now: number, timeoutMs: number): boolean {
  const since = claim.status?.allocation?.allocationTimestamp
  return since !== undefined && hasBindingConditions(claim) && Date.parse(since) + timeoutMs < now
}
