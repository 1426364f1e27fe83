import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { StorageClass } from '@berth/api/types/storage/v1'
import { bindsLate, claimClass, claimSize, defaultStorageClass, hasAccessModes, refersToClaim, volumeAnnotations, volumeClass, volumeModesDiffer, volumeSize } from '@berth/pod-rules'
import { bestVolumeFor } from './index-volumes.ts'

/** What the binder knows. */
export interface World {
  volume(name: string): PersistentVolume | undefined
  volumes(): readonly PersistentVolume[]
  class(name: string): StorageClass | undefined
  classes(): readonly StorageClass[]
  /** The names of the pods that use a claim and have no node yet. */
  unscheduledPods(claim: PersistentVolumeClaim): readonly string[]
}

export interface Note {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** What is to be done about a claim. */
type ClaimStep =
  /** Binds both to each other; what is done already is left. */
  | { readonly do: 'bind'; readonly volume: PersistentVolume }
  /** Its status says so; the note is written, for `Lost` only when the phase changes. */
  | { readonly do: 'phase'; readonly phase: 'Pending' | 'Lost'; readonly note?: Note }
  | { readonly do: 'assign-class'; readonly className: string }
  /** Asks the class's provisioner for a volume. */
  | { readonly do: 'provision'; readonly provisioner: string; readonly note: Note }
  | { readonly do: 'note'; readonly note: Note }
  /** Something that cannot be; tried again. */
  | { readonly do: 'fail'; readonly note: Note; readonly error: string }

const quoted = (text: string): string => JSON.stringify(text)

/** Why a volume that a claim asks for by name will not do; undefined where it does. */
function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined) return `the volume is marked for deletion ${quoted(volume.metadata.name)}`
  if (volumeSize(volume).cmp(claimSize(claim)) < 0) return 'requested PV is too small'
  if (volumeClass(volume) !== claimClass(claim)) return 'storageClassName does not match'
  if ((claim.spec.volumeAttributesClassName ?? '') !== (volume.spec.volumeAttributesClassName ?? '')) return 'volumeAttributesClassName does not match'
  if (volumeModesDiffer(claim, volume)) return 'incompatible volumeMode'
  return hasAccessModes(claim, volume) ? undefined : 'incompatible accessMode'
}

/** Decides about a claim (upstream: syncClaim). */
export function decideClaim(claim: PersistentVolumeClaim, world: World): ClaimStep {
  return claim.metadata.annotations?.[volumeAnnotations.bindCompleted] === undefined ? decideUnbound(claim, world) : decideBound(claim, world)
}

function decideUnbound(claim: PersistentVolumeClaim, world: World): ClaimStep {
  const name = claim.spec.volumeName ?? ''
  if (name === '') return decideOpen(claim, world)
  const volume = world.volume(name)
  if (!volume) return { do: 'phase', phase: 'Pending' }
  if (volume.spec.claimRef && refersToClaim(volume, claim)) return { do: 'bind', volume }
  if (!volume.spec.claimRef) {
    const problem = mismatch(volume, claim)
    if (problem === undefined) return { do: 'bind', volume }
    return { do: 'phase', phase: 'Pending', note: { type: 'Warning', reason: 'VolumeMismatch', message: `Cannot bind to requested volume ${quoted(name)}: ${problem}` } }
  }
  const note: Note = { type: 'Warning', reason: 'FailedBinding', message: `volume ${quoted(name)} already bound to a different claim.` }
  // The user asks for that one: it may come free.
  if (claim.metadata.annotations?.[volumeAnnotations.boundByController] === undefined) return { do: 'phase', phase: 'Pending', note }
  const { namespace = '', name: other = '' } = volume.spec.claimRef
  return { do: 'fail', note, error: `invalid binding of claim ${quoted(`${claim.metadata.namespace ?? ''}/${claim.metadata.name}`)} to volume ${quoted(name)}: volume already claimed by ${quoted(`${namespace}/${other}`)}` }
}

/** A claim that takes any volume that fits. */
function decideOpen(claim: PersistentVolumeClaim, world: World): ClaimStep {
  const late = bindsLate(claim, world.class)
  const volume = bestVolumeFor(claim, world.volumes(), late)
  if (volume) return { do: 'bind', volume }
  if (claim.spec.storageClassName === undefined && claim.metadata.annotations?.[volumeAnnotations.betaStorageClass] === undefined) {
    const found = defaultStorageClass(world.classes())
    if (found) return { do: 'assign-class', className: found.metadata.name }
  }
  if (late && claim.metadata.annotations?.[volumeAnnotations.selectedNode] === undefined) return { do: 'phase', phase: 'Pending', note: waitingNote(world.unscheduledPods(claim)) }
  if (claimClass(claim) !== '') return decideProvision(claim, world)
  return { do: 'phase', phase: 'Pending', note: { type: 'Normal', reason: 'FailedBinding', message: 'no persistent volumes available for this claim and no storage class is set' } }
}

function waitingNote(pods: readonly string[]): Note {
  if (pods.length === 0) return { type: 'Normal', reason: 'WaitForFirstConsumer', message: 'waiting for first consumer to be created before binding' }
  return { type: 'Normal', reason: 'WaitForPodScheduled', message: `waiting for pod${pods.length > 1 ? 's' : ''} ${pods.join(',')} to be scheduled` }
}

function decideProvision(claim: PersistentVolumeClaim, world: World): ClaimStep {
  const name = claimClass(claim)
  const found = world.class(name)
  const failed = (message: string): ClaimStep => ({ do: 'note', note: { type: 'Warning', reason: 'ProvisioningFailed', message } })
  if (!found) return failed(`storageclass.storage.k8s.io ${quoted(name)} not found`)
  const { provisioner } = found
  // Nothing is provisioned in-tree any more.
  if (provisioner.startsWith('kubernetes.io/')) return failed(`no volume plugin matched name: ${provisioner}`)
  return {
    do: 'provision', provisioner,
    note: { type: 'Normal', reason: 'ExternalProvisioning', message: `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.` },
  }
}

function decideBound(claim: PersistentVolumeClaim, world: World): ClaimStep {
  const lost = (message: string, reason = 'ClaimLost'): ClaimStep => ({ do: 'phase', phase: 'Lost', note: { type: 'Warning', reason, message } })
  const name = claim.spec.volumeName ?? ''
  if (name === '') return lost('Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  const volume = world.volume(name)
  if (!volume) return lost('Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  if (!volume.spec.claimRef || volume.spec.claimRef.uid === claim.metadata.uid) return { do: 'bind', volume }
  return lost('Two claims are bound to the same volume, this one is bound incorrectly', 'ClaimMisbound')
}
