import type { DownwardAPIVolumeFile, ObjectFieldSelector, Volume } from '../../types/core/v1.ts'
import { defaultPullPolicy } from '../image-name.ts'
import { defaultClaimSpec } from '../persistent-volume-claim.ts'

/** The fields that the old types share wherever they stand. */
interface LegacySources extends Pick<Volume, 'azureDisk'> {
  iscsi?: { iscsiInterface?: string }
  rbd?: { pool?: string, user?: string, keyring?: string }
  scaleIO?: { storageMode?: string, fsType?: string }
}

/** The mode of files in volumes made of API objects: 0644. */
const defaultMode = 0o644

export function defaultFieldRef(ref: ObjectFieldSelector | undefined): void {
  if (ref) ref.apiVersion ||= 'v1'
}

function defaultDownwardApiFiles(files: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const file of files ?? []) {
    defaultFieldRef(file.fieldRef)
    if (file.resourceFieldRef) file.resourceFieldRef.divisor ??= '0'
  }
}

/** Defaults of a volume; one that names no type is an emptyDir. */
export function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {}
  if (volume.secret) volume.secret.defaultMode ??= defaultMode
  if (volume.configMap) volume.configMap.defaultMode ??= defaultMode
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= defaultMode
    defaultDownwardApiFiles(volume.downwardAPI.items)
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= defaultMode
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
      defaultDownwardApiFiles(source.downwardAPI?.items)
    }
  }
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference)
  const claim = volume.ephemeral?.volumeClaimTemplate
  if (claim) {
    claim.spec ??= {}
    defaultClaimSpec(claim.spec)
  }
  defaultLegacyVolume(volume)
}

/** What old volume types leave out, in pods and in PersistentVolumes. */
export function defaultLegacyVolume({ iscsi, rbd, azureDisk, scaleIO }: LegacySources): void {
  if (iscsi) iscsi.iscsiInterface ||= 'default'
  if (rbd) {
    rbd.pool ||= 'rbd'
    rbd.user ||= 'admin'
    rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite'
    azureDisk.kind ??= 'Shared'
    azureDisk.fsType ??= 'ext4'
    azureDisk.readOnly ??= false
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned'
    scaleIO.fsType ||= 'xfs'
  }
}
