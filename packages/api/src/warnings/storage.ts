import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../types/core/v1.ts'
import type { CSIDriver, CSIStorageCapacity, StorageClass } from '../types/storage/v1.ts'
import { quantity, sameValue } from '../validation/common.ts'
import { deprecatedLabelMessage } from './labels.ts'

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'
const classMessage = 'deprecated since v1.8; use "storageClassName" attribute instead'
const optionsAnnotation = 'volume.beta.kubernetes.io/mount-options'

/** Volume types that are on their way out, by the names that the warnings have for them. */
const deprecatedSources = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'], ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'], ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'], ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const

export function persistentVolumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const annotations = metadata.annotations ?? {}
  return [
    ...(annotations[classAnnotation] === undefined ? [] : [`metadata.annotations[${classAnnotation}]: ${classMessage}`]),
    ...(annotations[optionsAnnotation] === undefined ? [] : [`metadata.annotations[${optionsAnnotation}]: deprecated since v1.31; use "mountOptions" attribute instead`]),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? ['spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.'] : []),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, i) => (term.matchExpressions ?? []).flatMap(({ key }, j) => {
      const message = deprecatedLabelMessage(key)
      return message === undefined ? [] : [`spec.nodeAffinity.required.nodeSelectorTerms[${i}].matchExpressions[${j}].key: ${key} is ${message}`]
    })),
    ...deprecatedSources.filter(([name]) => spec[name] !== undefined).map(([, shown, message]) => `spec.${shown}: ${message}`),
  ]
}

export function persistentVolumeClaimWarnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  return [...(metadata.annotations?.[classAnnotation] === undefined ? [] : [`metadata.annotations[${classAnnotation}]: ${classMessage}`]), ...claimSpecWarnings(spec, 'spec')]
}

/** Amounts of storage are whole bytes. */
export function claimSpecWarnings(spec: PersistentVolumeClaimSpec | undefined, at: string): string[] {
  return (['requests', 'limits'] as const).flatMap((kind) => {
    const amount = spec?.resources?.[kind]?.['storage']
    if (amount === undefined || quantity(amount).milliValue() % 1000n === 0n) return []
    return [`${at}.resources.${kind}[storage]: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`]
  })
}

export function storageClassWarnings({ allowedTopologies }: StorageClass): string[] {
  return (allowedTopologies ?? []).flatMap((term, i) => (term.matchLabelExpressions ?? []).flatMap(({ key }, j) => {
    const message = deprecatedLabelMessage(key)
    return message === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${message}`]
  }))
}

export function csiStorageCapacityWarnings({ nodeTopology }: CSIStorageCapacity): string[] {
  const at = 'nodeTopology'
  const named = (key: string, path: string): string[] => {
    const message = deprecatedLabelMessage(key)
    return message === undefined ? [] : [`${path}: ${message}`]
  }
  return [
    ...(nodeTopology?.matchExpressions ?? []).flatMap(({ key }, i) => named(key, `${at}.matchExpressions[${i}].key`)),
    ...Object.keys(nodeTopology?.matchLabels ?? {}).sort().flatMap((key) => named(key, `${at}.matchLabels.${key}`)),
  ]
}

export function csiDriverWarnings({ spec }: CSIDriver, old: CSIDriver | undefined): string[] {
  if (!spec.tokenRequests?.length || spec.serviceAccountTokenInSecrets !== undefined || (old && sameValue(spec.tokenRequests, old.spec.tokenRequests))) return []
  return ['spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes']
}
