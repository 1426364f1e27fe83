import type { PersistentVolume, PersistentVolumeSpec } from '../types/core/v1.ts'
import { defaultLegacyVolume } from './pod/volumes.ts'
import { canonicalizeResources } from './quantities.ts'

export function defaultPersistentVolume(volume: PersistentVolume): void {
  volume.status ??= {}
  volume.status.phase ||= 'Pending'
  const spec = (volume.spec ??= {})
  spec.persistentVolumeReclaimPolicy ||= 'Retain'
  spec.volumeMode ??= 'Filesystem'
  defaultVolumeSource(spec)
}

/** What volume types leave out, in a PersistentVolume and in a VolumeAttachment's inline volume. */
export function defaultVolumeSource(spec: PersistentVolumeSpec): void {
  canonicalizeResources(spec.capacity)
  if (spec.hostPath) spec.hostPath.type ??= ''
  defaultLegacyVolume(spec)
}
