import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import type { StorageClass } from '@berth/api/types/storage/v1'

/** Annotations by which scheduler, binder and provisioners talk about claims and volumes (component-helpers storage/volume). */
export const volumeAnnotations = {
  /** On a claim: its binding is complete. A claim without it is not bound, whatever its spec says. */
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  /** On a claim or a volume: the binder chose the other side, not the user. */
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  /** On a volume: who made it for a claim. */
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  /** On a claim: who is to make a volume for it. */
  storageProvisioner: 'volume.kubernetes.io/storage-provisioner',
  betaStorageProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  /** On a claim: the node for whose sake the volume is made. */
  selectedNode: 'volume.kubernetes.io/selected-node',
  betaStorageClass: 'volume.beta.kubernetes.io/storage-class',
  migratedTo: 'pv.kubernetes.io/migrated-to',
} as const

/** The provisioner of classes whose volumes are made by hand. */
export const noProvisioner = 'kubernetes.io/no-provisioner'

/** The name of a claim's class; '' for none. The beta annotation goes first, as upstream. */
export function claimClass(claim: PersistentVolumeClaim): string {
  return claim.metadata.annotations?.[volumeAnnotations.betaStorageClass] ?? claim.spec.storageClassName ?? ''
}

/** The name of a volume's class; '' for none. */
export function volumeClass(volume: PersistentVolume): string {
  return volume.metadata.annotations?.[volumeAnnotations.betaStorageClass] ?? volume.spec.storageClassName ?? ''
}

/** Whether a claim's binding waits for a pod that uses it. Throws for a class that does not say when to bind. */
export function bindsLate(claim: PersistentVolumeClaim, classOf: (name: string) => StorageClass | undefined): boolean {
  const name = claimClass(claim)
  const found = name === '' ? undefined : classOf(name)
  if (!found) return false
  if (found.volumeBindingMode === undefined) throw new Error(`VolumeBindingMode not set for StorageClass ${JSON.stringify(name)}`)
  return found.volumeBindingMode === 'WaitForFirstConsumer'
}

/** The name of the claim that a volume of a pod stands for; undefined for volumes that are no claims. An ephemeral one's is POD-VOLUME. */
export function claimNameOf(pod: Pick<Pod, 'metadata'>, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName
  return volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined
}

/** Says why a claim is not the one that was made for this pod's ephemeral volume; undefined where it is. */
export function ephemeralClaimProblem(pod: Pick<Pod, 'metadata'>, claim: PersistentVolumeClaim): string | undefined {
  const owner = claim.metadata.ownerReferences?.find((reference) => reference.controller)
  if (claim.metadata.namespace === pod.metadata.namespace && owner !== undefined && owner.uid === pod.metadata.uid) return undefined
  return `PVC ${claim.metadata.namespace ?? ''}/${claim.metadata.name} was not created for pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name} (pod is not owner)`
}

/** Bound from both sides, with nothing left to do. */
export function isClaimBound(claim: PersistentVolumeClaim): boolean {
  return (claim.spec.volumeName ?? '') !== '' && claim.metadata.annotations?.[volumeAnnotations.bindCompleted] !== undefined
}
