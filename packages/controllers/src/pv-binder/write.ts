import { core } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { EventRecorder, KubeClient } from '@berth/kube'
import { boundToClaim, volumeAnnotations } from '@berth/pod-rules'
import type { Note } from './decide-claim.ts'
import { unbound } from './decide-volume.ts'

/** What the binder writes. Every write names the version that it is based on: who is too late gets a conflict and looks again. */
export class Writer {
  readonly #client: KubeClient
  readonly #recorder: EventRecorder

  constructor(client: KubeClient, recorder: EventRecorder) {
    this.#client = client
    this.#recorder = recorder
  }

  note(object: PersistentVolume | PersistentVolumeClaim, kind: 'PersistentVolume' | 'PersistentVolumeClaim', { type, reason, message }: Note): void {
    this.#recorder.event({ ...object, apiVersion: 'v1', kind }, type, reason, message)
  }

  /** Binds a volume and a claim to each other: the volume first, so that a claim never names a volume that is another's. */
  async bind(given: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
    const wanted = boundToClaim(given, claim)
    const saved = wanted === given ? given : await this.#client.update(core.persistentvolumes, wanted)
    const volume = await this.volumePhase(saved, 'Bound')
    const bound = await this.#bindClaim(claim, volume)
    await this.claimStatus(bound, 'Bound', volume)
  }

  async #bindClaim(claim: PersistentVolumeClaim, { metadata: { name } }: PersistentVolume): Promise<PersistentVolumeClaim> {
    const chosenHere = claim.spec.volumeName !== name
    const annotations = { ...claim.metadata.annotations }
    if (chosenHere) annotations[volumeAnnotations.boundByController] ??= 'yes'
    else if (annotations[volumeAnnotations.bindCompleted] !== undefined) return claim
    annotations[volumeAnnotations.bindCompleted] ??= 'yes'
    return this.#client.update(core.persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName: name } })
  }

  /** Takes back a binding that came to nothing. */
  async unbind(volume: PersistentVolume): Promise<void> {
    await this.volumePhase(await this.#client.update(core.persistentvolumes, unbound(volume)), 'Available')
  }

  /** The status says the phase; the note is written only when it did not before. */
  async volumePhase(volume: PersistentVolume, phase: 'Available' | 'Bound' | 'Released' | 'Failed', note?: Note): Promise<PersistentVolume> {
    if (volume.status?.phase === phase) return volume
    const { message: _message, ...status } = volume.status ?? {}
    const saved = await this.#client.update(core.persistentvolumes, { ...volume, status: { ...status, phase, ...(note ? { message: note.message } : {}) } }, { subresource: 'status' })
    if (note) this.note(saved, 'PersistentVolume', note)
    return saved
  }

  /** The status says the phase, and what the volume gives; nothing, where there is none. */
  async claimStatus(claim: PersistentVolumeClaim, phase: 'Pending' | 'Bound' | 'Lost', volume?: PersistentVolume): Promise<PersistentVolumeClaim> {
    const status = nextStatus(claim, phase, volume)
    if (status === claim.status) return claim
    return this.#client.update(core.persistentvolumeclaims, { ...claim, status }, { subresource: 'status' })
  }

  async assignClass(claim: PersistentVolumeClaim, storageClassName: string): Promise<void> {
    await this.#client.update(core.persistentvolumeclaims, { ...claim, spec: { ...claim.spec, storageClassName } })
  }

  /** Tells the provisioner that the claim is its. */
  async askProvisioner(claim: PersistentVolumeClaim, provisioner: string): Promise<PersistentVolumeClaim> {
    const { storageProvisioner, betaStorageProvisioner } = volumeAnnotations
    if (claim.metadata.annotations?.[storageProvisioner] === provisioner) return claim
    const annotations = { ...claim.metadata.annotations, [storageProvisioner]: provisioner, [betaStorageProvisioner]: provisioner }
    return this.#client.update(core.persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, annotations } })
  }
}

/** The claim's status with that phase; the same object where nothing changes. A capacity is taken over once: a file system may stay smaller than its volume. */
export function nextStatus(claim: PersistentVolumeClaim, phase: 'Pending' | 'Bound' | 'Lost', volume: PersistentVolume | undefined): PersistentVolumeClaim['status'] {
  const before = claim.status ?? {}
  const { accessModes, capacity, ...rest } = before
  if (!volume) return before.phase === phase && accessModes === undefined && capacity === undefined ? claim.status : { ...rest, phase }
  const next = {
    ...before, phase,
    ...(volume.spec.accessModes ? { accessModes: volume.spec.accessModes } : {}),
    ...(before.phase !== phase && volume.spec.capacity ? { capacity: volume.spec.capacity } : {}),
    ...(volume.spec.volumeAttributesClassName === undefined ? {} : { currentVolumeAttributesClassName: volume.spec.volumeAttributesClassName }),
  }
  const same = next.phase === before.phase && JSON.stringify(next.accessModes) === JSON.stringify(accessModes) && next.currentVolumeAttributesClassName === before.currentVolumeAttributesClassName
  return same ? claim.status : next
}
