import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { volumeAnnotations, volumeModesDiffer } from '@berth/pod-rules'
import type { Note } from './decide-claim.ts'

/** What is to be done about a volume. */
type VolumeStep =
  | { readonly do: 'phase'; readonly phase: 'Available' | 'Bound' }
  /** Its claim is gone: Released (but Failed stays), then what its reclaim policy says. */
  | { readonly do: 'reclaim' }
  /** It was given to a claim that has another: what the binder wrote goes; what the user wrote stays, but for the uid. Then it is Available. */
  | { readonly do: 'unbind' }
  /** The claim's sync will bind it. */
  | { readonly do: 'sync-claim' }
  /** Neither can have the other. */
  | { readonly do: 'mismatch'; readonly onVolume: Note; readonly onClaim: Note }

/** Decides about a volume; `claim` is the one that it refers to, if that still is the same (upstream: syncVolume). */
export function decideVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeStep {
  const { claimRef } = volume.spec
  // Free, or kept for a claim that has not come.
  if (!claimRef || (claimRef.uid ?? '') === '') return { do: 'phase', phase: 'Available' }
  if (!claim) return { do: 'reclaim' }
  const claimed = claim.spec.volumeName ?? ''
  if (claimed === '') {
    if (!volumeModesDiffer(claim, volume)) return { do: 'sync-claim' }
    return {
      do: 'mismatch',
      onVolume: { type: 'Warning', reason: 'VolumeMismatch', message: `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${JSON.stringify(claim.metadata.name)} due to incompatible volumeMode.` },
      onClaim: { type: 'Warning', reason: 'VolumeMismatch', message: `Cannot bind PersistentVolume ${JSON.stringify(volume.metadata.name)} to requested PersistentVolumeClaim due to incompatible volumeMode.` },
    }
  }
  if (claimed === volume.metadata.name) return { do: 'phase', phase: 'Bound' }
  // Made for this claim, which got another one: nobody wants it.
  const made = volume.metadata.annotations?.[volumeAnnotations.provisionedBy] !== undefined
  return made && volume.spec.persistentVolumeReclaimPolicy === 'Delete' ? { do: 'reclaim' } : { do: 'unbind' }
}

/** What comes of a volume without a claim: nothing, where it is retained or its provisioner deletes it; else why it has failed. */
export function reclaimFailure(volume: PersistentVolume): Note | undefined {
  const policy = volume.spec.persistentVolumeReclaimPolicy ?? 'Retain'
  if (policy === 'Retain') return undefined
  if (policy === 'Recycle') return { type: 'Warning', reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' }
  const provisioner = volume.metadata.annotations?.[volumeAnnotations.provisionedBy] ?? ''
  if (volume.metadata.annotations?.[volumeAnnotations.migratedTo] !== undefined || (provisioner !== '' && !provisioner.startsWith('kubernetes.io/'))) return undefined
  return { type: 'Warning', reason: 'VolumeFailedDelete', message: `error getting deleter volume plugin for volume ${JSON.stringify(volume.metadata.name)}: no deletable volume plugin matched` }
}

/** The volume without what the binder wrote. */
export function unbound(volume: PersistentVolume): PersistentVolume {
  const { [volumeAnnotations.boundByController]: chosenHere, ...annotations } = volume.metadata.annotations ?? {}
  const { claimRef, ...spec } = volume.spec
  if (chosenHere !== undefined) return { ...volume, metadata: { ...volume.metadata, annotations }, spec }
  const { uid: _uid, ...reserved } = claimRef ?? {}
  return { ...volume, spec: { ...spec, claimRef: reserved } }
}
