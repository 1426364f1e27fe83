import { isDeepStrictEqual } from 'node:util'
import type { Pod } from '@berth/api/types/core/v1'
import type { ResourceClaim } from '@berth/api/types/resource/v1'
import type { EventInterest, EventObjects } from '../../framework/plugin.ts'
import { podClaims } from './claims.ts'

/** Which changes can help a pod that DynamicResources rejected (upstream: isSchedulableAfterClaimChange, isSchedulableAfterPodChange). */
export function dynamicResourcesEvents(lookup: (key: string) => ResourceClaim | undefined): readonly EventInterest[] {
  const claimChange = (pod: Pod, { old, now }: EventObjects): boolean => {
    const before = old as ResourceClaim | undefined
    const after = now as ResourceClaim | undefined
    // The event may come before the cluster is seen to have the claim.
    const uses = podClaims(pod, (key) => key === `${after?.metadata.namespace ?? ''}/${after?.metadata.name ?? ''}` ? after : lookup(key))
    if (typeof uses === 'string') return false
    // Its devices are free for others.
    if (before?.status?.allocation && !after?.status?.allocation) return true
    if (!uses.some(({ metadata }) => metadata.uid === after?.metadata.uid)) return false
    return before === undefined || !isDeepStrictEqual(before.status, after?.status)
  }
  return [
    { event: 'NodeAdded' },
    { event: 'NodeLabelsChanged' },
    { event: 'NodeAllocatableChanged' },
    { event: 'ResourceClaimAdded', helps: ({ pod }, change) => claimChange(pod, change) },
    { event: 'ResourceClaimUpdated', helps: ({ pod }, change) => claimChange(pod, change) },
    {
      event: 'UnscheduledPodUpdated',
      helps({ pod }, { now }) {
        const after = now as Pod | undefined
        return after !== undefined && after.metadata.uid === pod.metadata.uid && typeof podClaims(after, lookup) !== 'string'
      },
    },
    { event: 'DeviceClassAdded' },
    { event: 'DeviceClassUpdated' },
    { event: 'ResourceSliceAdded' },
    { event: 'ResourceSliceUpdated' },
  ]
}
