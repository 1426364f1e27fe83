import type { Pod, PodResourceClaim } from '@berth/api/types/core/v1'
import type { ResourceClaim } from '@berth/api/types/resource/v1'

/** Written on a claim while it is allocated: it cannot vanish with its devices in use. */
export const deleteProtection = 'resource.kubernetes.io/delete-protection'

/** The claim that a pod's entry stands for; undefined where none was made on purpose. A text says what is wrong. */
function claimName(pod: Pod, { name, resourceClaimName, resourceClaimTemplateName }: PodResourceClaim): { claim: string; generated: boolean } | string | undefined {
  if (resourceClaimName !== undefined) return { claim: resourceClaimName, generated: false }
  const about = `pod "${pod.metadata.namespace ?? ''}/${pod.metadata.name}"`
  if (resourceClaimTemplateName === undefined) return `${about}, spec.resourceClaim "${name}": none of the supported fields are set`
  const status = (pod.status?.resourceClaimStatuses ?? []).find((status) => status.name === name)
  if (status === undefined) return `${about}: ResourceClaim not created yet`
  return status.resourceClaimName === undefined ? undefined : { claim: status.resourceClaimName, generated: true }
}

/** The claims that a pod uses, in its order; or, as text, why it cannot be scheduled for now. */
export function podClaims(pod: Pod, lookup: (key: string) => ResourceClaim | undefined): ResourceClaim[] | string {
  const claims: ResourceClaim[] = []
  const { namespace = 'default', name, uid } = pod.metadata
  for (const entry of pod.spec.resourceClaims ?? []) {
    const found = claimName(pod, entry)
    if (typeof found === 'string') return found
    if (found === undefined) continue
    const key = `${namespace}/${found.claim}`
    const claim = lookup(key)
    if (claim === undefined) return `could not find ResourceClaim "${key}"`
    if (claim.metadata.deletionTimestamp !== undefined) return `resourceclaim "${claim.metadata.name}" is being deleted`
    const owner = (claim.metadata.ownerReferences ?? []).find(({ controller }) => controller === true)
    if (found.generated && owner?.uid !== uid) return `ResourceClaim ${key} was not created for Pod ${namespace}/${name} (Pod is not owner)`
    claims.push(claim)
  }
  return claims
}

export function isReservedFor({ status }: ResourceClaim, { metadata }: Pod): boolean {
  return (status?.reservedFor ?? []).some(({ uid }) => uid === metadata.uid)
}
