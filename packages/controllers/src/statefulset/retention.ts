import { apps, core, type ResourceInfo } from '@berth/api'
import type { StatefulSet } from '@berth/api/types/apps/v1'
import type { PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { OwnerReference } from '@berth/api/types/meta/v1'
import { controllerReference, type ApiObject } from '../common/owners.ts'
import { inRange } from './identity.ts'

/**
 * The owners a claim should have by the set's persistentVolumeClaimRetentionPolicy, which the garbage collector then follows: the set where
 * claims go with it, the pod where they go with an ordinal that is scaled away. Undefined where they are right, or another controller has it.
 */
export function claimOwners(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): OwnerReference[] | undefined {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy
  const condemned = !inRange(set, pod)
  const byPod = policy?.whenScaled === 'Delete' && condemned && set.metadata.deletionTimestamp === undefined
  const bySet = policy?.whenDeleted === 'Delete' && !byPod
  const known = claim.metadata.ownerReferences ?? []
  const ours = (reference: OwnerReference): boolean => refersTo(reference, set, apps.statefulsets) || refersTo(reference, pod, core.pods)
  const others = known.filter((reference) => !ours(reference))
  if (others.some((reference) => reference.controller === true)) return undefined
  const wanted = [...(bySet ? [controllerReference(set, apps.statefulsets)] : []), ...(byPod ? [controllerReference(pod, core.pods)] : [])]
  const present = known.filter(ours)
  const same = present.length === wanted.length && wanted.every((each) => present.some((reference) => reference.uid === each.uid && reference.controller === true))
  return same ? undefined : [...others, ...wanted]
}

/** By name, so that references to an earlier pod of the same ordinal count as ours too. */
function refersTo(reference: OwnerReference, object: ApiObject, resource: ResourceInfo): boolean {
  return reference.kind === resource.kind && reference.name === object.metadata.name && (reference.apiVersion.split('/')[0] === resource.group || resource.group === '')
}

/** Whether the claim belongs to an earlier pod of this ordinal and will go with it: a new pod must wait. */
export function isStaleClaim(claim: PersistentVolumeClaim, pod: Pod): boolean {
  return (claim.metadata.ownerReferences ?? []).some((reference) => reference.kind === 'Pod' && reference.name === pod.metadata.name && reference.uid !== pod.metadata.uid)
}
