import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from '../../types/core/v1.ts'
import { checkFormat, checkOneOf, child, notPositiveMessage, quantity, textOf } from '../common.ts'
import { forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Subdomain } from '../formats.ts'
import { checkLabelSelector } from '../label-selector.ts'
import { checkAnnotations, checkLabels } from '../object-meta.ts'

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

/** The claim of a generic ephemeral volume. */
export function checkClaimTemplate(template: PersistentVolumeClaimTemplate, at: string): FieldError[] {
  const { annotations, labels, ...others } = template.metadata ?? {}
  return [
    ...checkAnnotations(`${at}.metadata.annotations`, annotations),
    ...checkLabels(`${at}.metadata.labels`, labels),
    ...Object.keys(others).filter((name) => others[name as keyof typeof others] !== undefined).map((name) => forbidden(`${at}.metadata.${name}`, 'cannot be set')),
    ...checkClaimSpec(template.spec, child(at, 'spec')),
  ]
}

function checkClaimSpec(spec: PersistentVolumeClaimSpec | undefined, at: string): FieldError[] {
  const modes = spec?.accessModes ?? []
  const errors: FieldError[] = []
  if (modes.length === 0) errors.push(required(child(at, 'accessModes'), 'at least 1 access mode is required'))
  errors.push(...checkLabelSelector(child(at, 'selector'), spec?.selector))
  for (const mode of modes) if (!accessModes.includes(mode)) errors.push(notSupported(child(at, 'accessModes'), mode, accessModes))
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))) {
    errors.push(forbidden(child(at, 'accessModes'), 'may not use ReadWriteOncePod with other access modes'))
  }
  const storage = spec?.resources?.requests?.['storage']
  if (storage === undefined) errors.push(required(`${at}.resources[storage]`))
  else if (quantity(storage).sign() <= 0) errors.push(invalid(`${at}.resources[storage]`, storage, notPositiveMessage))
  if (textOf(spec?.storageClassName) !== '') errors.push(...checkFormat(child(at, 'storageClassName'), textOf(spec?.storageClassName), dns1123Subdomain))
  if (spec?.volumeMode !== undefined) errors.push(...checkOneOf(child(at, 'volumeMode'), spec.volumeMode, ['Block', 'Filesystem']))
  return errors
}
