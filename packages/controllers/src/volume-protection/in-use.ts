import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import { ephemeralClaimProblem } from '@berth/pod-rules'

export const claimFinalizer = 'kubernetes.io/pvc-protection'
export const volumeFinalizer = 'kubernetes.io/pv-protection'
export const attributesClassFinalizer = 'kubernetes.io/vac-protection'

/** Whether a pod that has a node uses a claim. One without a node does not hold it: no kubelet starts a pod whose claim is going. */
export function podHoldsClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec.nodeName || pod.metadata.namespace !== claim.metadata.namespace) return false
  return (pod.spec.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName === claim.metadata.name
    return volume.ephemeral !== undefined && `${pod.metadata.name}-${volume.name}` === claim.metadata.name && ephemeralClaimProblem(pod, claim) === undefined
  })
}

/** The attribute classes that a claim has, is to have, or is being given. */
export function classesOfClaim({ spec, status }: PersistentVolumeClaim): string[] {
  const names = [spec.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName]
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[]
}

/** The attribute class of a volume. */
export function classesOfVolume({ spec: { volumeAttributesClassName: name = '' } }: PersistentVolume): string[] {
  return name === '' ? [] : [name]
}

/** What a protected object's finalizers have to be: set while it lives, taken off once it is going and nobody uses it. Undefined where they are right. */
export function protectedFinalizers(object: { metadata: ObjectMeta }, finalizer: string, inUse: () => boolean): string[] | undefined {
  const { finalizers = [], deletionTimestamp } = object.metadata
  const has = finalizers.includes(finalizer)
  if (deletionTimestamp === undefined) return has ? undefined : [...finalizers, finalizer]
  return has && !inUse() ? finalizers.filter((each) => each !== finalizer) : undefined
}
