import { resource } from '@berth/api'
import { isConflict, type Clock, type KubeClient } from '@berth/kube'
import type { Pod } from '@berth/api/types/core/v1'
import type { AllocationResult, ResourceClaim } from '@berth/api/types/resource/v1'
import { claimKey } from './allocator/types.ts'
import { deleteProtection } from './claims.ts'

const maxTries = 5

export interface BindClaimOptions {
  readonly client: KubeClient
  readonly clock: Clock
  /** Whether the time of allocation is written: devices may get ready later. */
  readonly timestamp: boolean
}

/**
 * Writes that a pod uses a claim, and which devices the claim has where that was decided. Repeated where somebody changed the claim
 * meanwhile. Throws where the claim is deleted or allocated otherwise by now, or the API refuses (too many reservations).
 */
export async function bindClaim(claim: ResourceClaim, pod: Pod, allocation: AllocationResult | undefined, options: BindClaimOptions): Promise<ResourceClaim> {
  let current = claim
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeOnce(current, pod, allocation, options)
    } catch (error) {
      if (!isConflict(error) || attempt === maxTries) throw error
      const { name, namespace } = claim.metadata
      current = await options.client.get(resource.resourceclaims, name, namespace === undefined ? {} : { namespace })
    }
  }
}

async function writeOnce(claim: ResourceClaim, pod: Pod, allocation: AllocationResult | undefined, { client, clock, timestamp }: BindClaimOptions): Promise<ResourceClaim> {
  const key = claimKey(claim)
  if (claim.metadata.deletionTimestamp !== undefined) throw new Error(`claim ${key} got deleted in the meantime`)
  if (allocation && claim.status?.allocation) throw new Error(`claim ${key} got allocated elsewhere in the meantime`)
  const finalizers = claim.metadata.finalizers ?? []
  // The finalizer has to be there before the devices are, and cannot be written with the status.
  const protectedClaim = allocation === undefined || finalizers.includes(deleteProtection)
    ? claim
    : await client.update(resource.resourceclaims, { ...claim, metadata: { ...claim.metadata, finalizers: [...finalizers, deleteProtection] } })
  const decided = allocation ?? protectedClaim.status?.allocation
  if (decided === undefined) throw new Error(`claim ${key} got deallocated elsewhere in the meantime`)
  const stamped = timestamp && decided.allocationTimestamp === undefined ? { ...decided, allocationTimestamp: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z') } : decided
  return client.update(resource.resourceclaims, {
    ...protectedClaim,
    status: {
      ...protectedClaim.status, allocation: stamped,
      reservedFor: [...protectedClaim.status?.reservedFor ?? [], { resource: 'pods', name: pod.metadata.name, uid: pod.metadata.uid ?? '' }],
    },
  }, { subresource: 'status' })
}

/** Takes a pod off the users of a claim, whatever else changed there. */
export async function unreserve(client: KubeClient, claim: ResourceClaim, pod: Pod): Promise<void> {
  const { name, namespace, uid } = claim.metadata
  const body = { metadata: { uid }, status: { reservedFor: [{ $patch: 'delete', uid: pod.metadata.uid }] } }
  await client.patch(resource.resourceclaims, name, { type: 'strategic', body }, { subresource: 'status', ...(namespace === undefined ? {} : { namespace }) })
}

/** Gives the devices of a claim back: nobody uses it, or this pod alone waits for it in vain. */
export async function deallocate(client: KubeClient, claim: ResourceClaim): Promise<void> {
  const { allocation: _allocation, devices: _devices, reservedFor: _reservedFor, ...status } = claim.status ?? {}
  await client.update(resource.resourceclaims, { ...claim, status }, { subresource: 'status' })
}
