import { posix } from 'node:path'
import type { PersistentVolumeSpec } from '../../types/core/v1.ts'
import { checkOneOf, child, notPositiveMessage, quantity, textOf } from '../common.ts'
import { checkClassName } from '../csi-names.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkNodeSelector } from '../pod/scheduling.ts'
import { checkAccessModes, volumeModes } from './access-modes.ts'
import { checkVolumeSource } from './sources.ts'

const inContext = 'in the context of inline volumes'

/** A volume's spec. `inline` is the form within a VolumeAttachment, which may say less and must be of CSI. */
export function checkVolumeSpec(spec: PersistentVolumeSpec, at: string, volumeName: string, inline = false): FieldError[] {
  const policy = textOf(spec.persistentVolumeReclaimPolicy)
  const hostRoot = spec.hostPath !== undefined && posix.normalize(`${spec.hostPath.path ?? ''}/`) === '/' && policy === 'Recycle'
  return [
    ...(inline ? checkInline(spec, at) : []),
    ...(spec.accessModes?.length ? [] : [required(child(at, 'accessModes'))]),
    ...checkAccessModes(child(at, 'accessModes'), spec.accessModes),
    ...(inline ? [] : checkCapacity(spec.capacity, child(at, 'capacity'))),
    ...checkReclaimPolicy(policy, child(at, 'persistentVolumeReclaimPolicy'), inline),
    ...checkNodeAffinity(spec, child(at, 'nodeAffinity'), inline),
    ...checkVolumeSource(spec, at, volumeName),
    ...(hostRoot ? [forbidden(child(at, 'persistentVolumeReclaimPolicy'), "may not be 'recycle' for a hostPath mount of '/'")] : []),
    ...checkClass(spec, child(at, 'storageClassName'), inline),
    ...checkMode(spec, child(at, 'volumeMode'), inline),
    ...checkAttributesClass(spec, at),
  ]
}

function checkInline(spec: PersistentVolumeSpec, at: string): FieldError[] {
  return [
    ...(spec.claimRef ? [forbidden(child(at, 'claimRef'), `may not be specified ${inContext}`)] : []),
    ...(Object.keys(spec.capacity ?? {}).length > 0 ? [forbidden(child(at, 'capacity'), `may not be specified ${inContext}`)] : []),
    ...(spec.csi ? [] : [required(child(at, 'csi'), `has to be specified ${inContext}`)]),
  ]
}

function checkCapacity(capacity: Readonly<Record<string, string>> | undefined, at: string): FieldError[] {
  const entries = Object.entries(capacity ?? {})
  return [
    ...(entries.length === 0 ? [required(at)] : []),
    ...(capacity?.['storage'] === undefined || entries.length > 1 ? [notSupported(at, entries.length === 0 ? null : capacity, ['storage'])] : []),
    ...entries.flatMap(([name, amount]) => [
      ...(quantity(amount).value() < 0n ? [invalid(`${at}[${name}]`, quantity(amount).value(), 'must be a valid resource quantity')] : []),
      ...(quantity(amount).sign() <= 0 ? [invalid(`${at}[${name}]`, amount, notPositiveMessage)] : []),
    ]),
  ]
}

function checkReclaimPolicy(policy: string, at: string, inline: boolean): FieldError[] {
  if (policy === '') return []
  if (!inline) return checkOneOf(at, policy, ['Delete', 'Recycle', 'Retain'])
  return policy === 'Retain' ? [] : [forbidden(at, `may only be Retain ${inContext}`)]
}

function checkNodeAffinity({ nodeAffinity }: PersistentVolumeSpec, at: string, inline: boolean): FieldError[] {
  if (!nodeAffinity) return []
  if (inline) return [forbidden(at, `may not be specified ${inContext}`)]
  return nodeAffinity.required ? checkNodeSelector(nodeAffinity.required, child(at, 'required')) : [required(child(at, 'required'), 'must specify required node constraints')]
}

function checkClass({ storageClassName = '' }: PersistentVolumeSpec, at: string, inline: boolean): FieldError[] {
  if (storageClassName === '') return []
  return inline ? [forbidden(at, `may not be specified ${inContext}`)] : checkClassName(at, storageClassName)
}

function checkMode({ volumeMode }: PersistentVolumeSpec, at: string, inline: boolean): FieldError[] {
  if (volumeMode === undefined) return []
  if (!inline) return checkOneOf(at, volumeMode, volumeModes)
  return volumeMode === 'Filesystem' ? [] : [forbidden(at, `may not specify volumeMode other than Filesystem ${inContext}`)]
}

function checkAttributesClass({ volumeAttributesClassName: name, csi }: PersistentVolumeSpec, at: string): FieldError[] {
  if (name === undefined) return []
  const field = child(at, 'volumeAttributesClassName')
  return [
    ...(name === '' ? [required(field, 'an empty string is disallowed')] : checkClassName(field, name)),
    ...(csi ? [] : [required(child(at, 'csi'), 'has to be specified when using volumeAttributesClassName')]),
  ]
}
