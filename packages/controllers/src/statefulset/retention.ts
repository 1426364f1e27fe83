import { apps, core, type ResourceInfo } from '@berth/api'
import type { StatefulSet } from '@berth/api/types/apps/v1'
import type { PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { OwnerReference } from '@berth/api/types/meta/v1'
import { controllerReference, type ApiObject } from '../common/owners.ts'
import { inRange } from './identity.ts'

/**
 * The owners a claim should have by the set's persistentVolumeClaimRetentionPolicy, which the garbage collector then follows: the set where
 * claims go with it, the pod where they go with an ordinal that is scaled away. Undefined where they are right, or the claim is not ours to judge.
 */
export function claimOwners(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): OwnerReference[] | undefined {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy
  const condemned = !inRange(set, pod)
  const byPod = policy?.whenScaled === 'Delete' && condemned && set.metadata.deletionTimestamp === undefined
  const bySet = policy?.whenDeleted === 'Delete' && !byPod
  const known = claim.metadata.ownerReferences ?? []
  const others = known.filter((reference) => !refersTo(reference, set, apps.statefulsets) && !refersTo(reference, pod, core.pods))
  const present = known.filter(({ uid }) => uid === set.metadata.uid || uid === pod.metadata.uid)
  if (hasConflictingController(set, pod, claim)) return present.length === 0 ? undefined : others
  const wanted = [...(bySet ? [controllerReference(set, apps.statefulsets)] : []), ...(byPod ? [controllerReference(pod, core.pods)] : [])]
  const same = present.length === wanted.length && wanted.every((each) => present.some((reference) => reference.uid === each.uid && reference.controller === true))
  return same ? undefined : [...others, ...wanted]
}

/**
 * Whether a claim that is not to be kept is managed by something else: then the retention policy does not hold for it. A set or pod of the same name that
 * was before counts as that: its claims are the garbage collector's.
 */
export function hasConflictingController(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): boolean {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy
  if (policy?.whenDeleted !== 'Delete' && policy?.whenScaled !== 'Delete') return false
  return (claim.metadata.ownerReferences ?? []).some((reference) => {
    if (refersTo(reference, set, apps.statefulsets)) return reference.uid !== set.metadata.uid
    return refersTo(reference, pod, core.pods) ? reference.uid !== pod.metadata.uid : reference.controller === true
  })
}

/** By kind and name alone. */
function refersTo(reference: OwnerReference, object: ApiObject, resource: ResourceInfo): boolean {
  return reference.kind === resource.kind && reference.name === object.metadata.name && (reference.apiVersion.split('/')[0] === resource.group || resource.group === '')
}

/** Whether the claim belongs to an earlier pod of this ordinal and will go with it: a new pod must wait. */
export function isStaleClaim(claim: PersistentVolumeClaim, pod: Pod): boolean {
  return (claim.metadata.ownerReferences ?? []).some((reference) => reference.kind === 'Pod' && reference.name === pod.metadata.name && reference.uid !== pod.metadata.uid)
}
