import type { PersistentVolume, PersistentVolumeSpec } from '../types/core/v1.ts'
import { checkImmutable, sameValue } from './common.ts'
import { forbidden, invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { internalDiff } from './internal/diff.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { volumeSourceNames } from './persistent-volume/sources.ts'
import { checkVolumeSpec } from './persistent-volume/spec.ts'

const mountOptions = 'volume.beta.kubernetes.io/mount-options'
/** Types that read mount options out of the old annotation. */
const mountable = [
  'gcePersistentDisk', 'awsElasticBlockStore', 'glusterfs', 'nfs', 'rbd', 'quobyte', 'iscsi', 'cinder', 'cephfs', 'azureFile', 'vsphereVolume', 'azureDisk', 'photonPersistentDisk',
] as const

function checkMountOptions({ metadata, spec }: PersistentVolume): FieldError[] {
  if (metadata.annotations?.[mountOptions] === undefined || mountable.some((name) => spec[name] !== undefined)) return []
  return [forbidden(`metadata.annotations.${mountOptions}`, 'may not specify mount options for this volume type')]
}

const checkVolume = (volume: PersistentVolume): FieldError[] => [...checkMeta(volume.metadata, false, nameIsDnsSubdomain), ...checkVolumeSpec(volume.spec, 'spec', volume.metadata.name)]

const sourceOf = (spec: PersistentVolumeSpec): Record<string, unknown> => Object.fromEntries(volumeSourceNames.map((name) => [name, spec[name]]))

function checkUpdate(volume: PersistentVolume, old: PersistentVolume): FieldError[] {
  const errors = [...checkVolume(volume), ...checkMountOptions(volume), ...checkVolume(volume)]
  const before = sourceOf(old.spec)
  const now = sourceOf(volume.spec)
  // The secret for growing may be named once.
  if (old.spec.csi && !old.spec.csi.controllerExpandSecretRef && volume.spec.csi?.controllerExpandSecretRef) {
    const { controllerExpandSecretRef: _, ...csi } = volume.spec.csi
    now['csi'] = csi
  }
  if (!sameValue(now, before)) {
    const diff = internalDiff(toInternal('PersistentVolumeSource', before), toInternal('PersistentVolumeSource', now))
    errors.push(forbidden('spec.persistentvolumesource', `spec.persistentvolumesource is immutable after creation\n${diff}`))
  }
  errors.push(...checkImmutable('volumeMode', volume.spec.volumeMode ?? null, old.spec.volumeMode))
  if (old.spec.nodeAffinity && !sameValue(volume.spec.nodeAffinity, old.spec.nodeAffinity)) {
    const shown = volume.spec.nodeAffinity ? toInternal('VolumeNodeAffinity', volume.spec.nodeAffinity) : null
    errors.push(invalid('nodeAffinity', shown, 'field is immutable, except for updating from beta label to GA'))
  }
  if (old.spec.volumeAttributesClassName !== undefined && volume.spec.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  }
  return errors
}

export const persistentVolumeValidation: KindValidation<PersistentVolume> = {
  namespaced: false,
  create: (volume) => [...checkVolume(volume), ...checkMountOptions(volume)],
  update: (volume, old, subresource) => (subresource === 'status' ? checkMetaUpdate(volume.metadata, old.metadata) : checkUpdate(volume, old)),
}
