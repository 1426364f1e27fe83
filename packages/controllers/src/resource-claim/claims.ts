import type { Pod, PodResourceClaim } from '@berth/api/types/core/v1'
import { core } from '@berth/api'
import type { ResourceClaim, ResourceClaimTemplate } from '@berth/api/types/resource/v1'
import { controllerOf, controllerReference } from '../common/owners.ts'
import { isPodTerminal } from '../common/pods.ts'

/** On a claim: the entry of the pod that it was made for. */
export const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name'
/** Held while a claim has devices. */
export const deleteProtection = 'resource.kubernetes.io/delete-protection'

// 63 characters, less a hyphen and five that the API server appends.
const maxBaseLength = 57

/** The name's beginning for a pod's claim: pod and entry, each shortened in proportion where they are too long together. */
export function generatedName(pod: string, entry: string): string {
  const name = `${pod}-${entry}-`
  if (name.length <= maxBaseLength) return name
  const shortened = `${pod.slice(0, Math.floor(pod.length * maxBaseLength / name.length))}-`
  return shortened + entry.slice(0, Math.floor(entry.length * maxBaseLength / name.length))
}

/** The claim for an entry of a pod, out of its template. */
export function claimFor(pod: Pod, entry: PodResourceClaim, template: ResourceClaimTemplate): ResourceClaim {
  const { labels, annotations } = template.spec.metadata ?? {}
  return {
    metadata: {
      name: '', generateName: generatedName(pod.metadata.name, entry.name), namespace: pod.metadata.namespace ?? '',
      ownerReferences: [{ ...controllerReference(pod, core.pods), blockOwnerDeletion: false }],
      annotations: { ...annotations, [podClaimAnnotation]: entry.name },
      ...(labels === undefined ? {} : { labels }),
    },
    spec: template.spec.spec,
  }
}

/** The claim that an entry of a pod has by the pod's spec or status. `''` where none is needed, undefined where it is still to be made. */
export function claimNameOf(pod: Pod, entry: PodResourceClaim): string | undefined {
  if (entry.resourceClaimName !== undefined) return entry.resourceClaimName
  const status = (pod.status?.resourceClaimStatuses ?? []).find(({ name }) => name === entry.name)
  return status === undefined ? undefined : status.resourceClaimName ?? ''
}

export function isOwnedBy(claim: ResourceClaim, pod: Pod): boolean {
  return controllerOf(claim)?.uid === pod.metadata.uid
}

/** The claim that was made for an entry but did not get into the pod's status. */
export function orphanFor(pod: Pod, entry: PodResourceClaim, claims: Iterable<ResourceClaim>): ResourceClaim | undefined {
  for (const claim of claims) if (isOwnedBy(claim, pod) && claim.metadata.annotations?.[podClaimAnnotation] === entry.name) return claim
  return undefined
}

export function isReservedFor(claim: ResourceClaim, pod: Pod): boolean {
  return (claim.status?.reservedFor ?? []).some(({ uid }) => uid === pod.metadata.uid)
}

/** Whether a pod will never run (again): it has ended, or was deleted before it had a node. */
export function isPodDone(pod: Pod): boolean {
  return isPodTerminal(pod) || pod.metadata.deletionTimestamp !== undefined && (pod.spec.nodeName ?? '') === ''
}

/** Whether there is anything to do for a pod: claims to be made, or to be reserved for a pod that got its node past the scheduler. */
export function needsWork(pod: Pod, claimAt: (key: string) => ResourceClaim | undefined): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false
  return (pod.spec.resourceClaims ?? []).some((entry) => {
    const name = claimNameOf(pod, entry)
    if (name === undefined) return true
    if (name === '') return false
    const claim = claimAt(`${pod.metadata.namespace ?? ''}/${name}`)
    if (claim === undefined) return entry.resourceClaimTemplateName !== undefined
    if (entry.resourceClaimTemplateName !== undefined && !isOwnedBy(claim, pod)) return false
    return (pod.spec.nodeName ?? '') !== '' && claim.status?.allocation !== undefined && !isReservedFor(claim, pod)
  })
}

/** A claim whose users changed: without them, and without its devices once nobody uses it. */
export function withUsers(claim: ResourceClaim, users: readonly NonNullable<NonNullable<ResourceClaim['status']>['reservedFor']>[number][]): ResourceClaim {
  const { reservedFor: _, allocation, ...status } = claim.status ?? {}
  const free = users.length === 0 && (claim.metadata.finalizers ?? []).includes(deleteProtection)
  return {
    ...claim,
    status: { ...status, ...(users.length === 0 ? {} : { reservedFor: [...users] }), ...(free || allocation === undefined ? {} : { allocation }) },
  }
}

export function withoutProtection(claim: ResourceClaim): ResourceClaim {
  return { ...claim, metadata: { ...claim.metadata, finalizers: (claim.metadata.finalizers ?? []).filter((finalizer) => finalizer !== deleteProtection) } }
}
