import type { PersistentVolumeClaimSpec, TypedObjectReference } from '../../types/core/v1.ts'
import { checkFormat, checkOneOf, checkRequired, child, notPositiveMessage, quantity, textOf } from '../common.ts'
import { checkClassName } from '../csi-names.ts'
import { GoText, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain } from '../formats.ts'
import { checkLabelSelector } from '../label-selector.ts'
import { checkAccessModes, volumeModes } from '../persistent-volume/access-modes.ts'

/** A claim's spec: of a claim, a template, an ephemeral volume. */
export function checkClaimSpec(spec: PersistentVolumeClaimSpec | undefined, at: string): FieldError[] {
  const storage = spec?.resources?.requests?.['storage']
  const storageField = `${at}.resources[storage]`
  const attributesClass = textOf(spec?.volumeAttributesClassName)
  return [
    ...(spec?.accessModes?.length ? [] : [required(child(at, 'accessModes'), 'at least 1 access mode is required')]),
    ...checkLabelSelector(child(at, 'selector'), spec?.selector),
    ...checkAccessModes(child(at, 'accessModes'), spec?.accessModes),
    ...(storage === undefined ? [required(storageField)] : quantity(storage).sign() <= 0 ? [invalid(storageField, storage, notPositiveMessage)] : []),
    ...(textOf(spec?.storageClassName) === '' ? [] : checkClassName(child(at, 'storageClassName'), textOf(spec?.storageClassName))),
    ...(spec?.volumeMode === undefined ? [] : checkOneOf(child(at, 'volumeMode'), spec.volumeMode, volumeModes)),
    ...checkDataSources(spec, at),
    ...(attributesClass === '' ? [] : checkClassName(child(at, 'volumeAttributesClassName'), attributesClass)),
  ]
}

function checkDataSources(spec: PersistentVolumeClaimSpec | undefined, at: string): FieldError[] {
  const { dataSource, dataSourceRef } = spec ?? {}
  const errors: FieldError[] = []
  if (dataSource) errors.push(...checkReference(dataSource, child(at, 'dataSource')))
  if (dataSourceRef) errors.push(...checkReference(dataSourceRef, child(at, 'dataSourceRef')))
  if (!dataSource || !dataSourceRef) return errors
  const shown = new GoText(child(at, 'dataSource'))
  if (textOf(dataSourceRef.namespace) !== '') return [...errors, invalid(at, shown, 'may not be specified when dataSourceRef.namespace is specified')]
  const same = dataSource.apiGroup === dataSourceRef.apiGroup && dataSource.kind === dataSourceRef.kind && dataSource.name === dataSourceRef.name
  return same ? errors : [...errors, invalid(at, shown, 'must match dataSourceRef')]
}

function checkReference(reference: TypedObjectReference, at: string): FieldError[] {
  const { apiGroup = '', kind = '', namespace = '' } = reference
  return [
    ...checkRequired(child(at, 'name'), reference.name),
    ...checkRequired(child(at, 'kind'), kind),
    ...(apiGroup === '' && kind !== 'PersistentVolumeClaim' ? [invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")] : []),
    ...(apiGroup === '' ? [] : checkFormat(child(at, 'apiGroup'), apiGroup, dns1123Subdomain)),
    ...(namespace === '' ? [] : checkFormat(child(at, 'namespace'), namespace, dns1123Label)),
  ]
}
