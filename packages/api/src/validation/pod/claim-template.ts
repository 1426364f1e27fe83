import type { PersistentVolumeClaimTemplate } from '../../types/core/v1.ts'
import { child } from '../common.ts'
import { forbidden } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkAnnotations, checkLabels } from '../object-meta.ts'
import { checkClaimSpec } from '../persistent-volume-claim/spec.ts'

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
