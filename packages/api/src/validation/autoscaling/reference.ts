import type { CrossVersionObjectReference } from '../../types/autoscaling/v2.ts'
import { checkFormat, textOf } from '../common.ts'
import { invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { pathSegmentName } from '../formats.ts'

export interface ReferenceRules {
  /** apiVersion is not judged. */
  readonly anyVersion: boolean
  /** Kinds of the core group may be named. */
  readonly emptyGroup: boolean
}

/** A kind and a name, both as they can stand in a path. */
export function checkKindAndName(reference: { kind?: string, name?: string } | undefined, at: string): FieldError[] {
  return (['kind', 'name'] as const).flatMap((field) => {
    const value = textOf(reference?.[field])
    return value === '' ? [required(`${at}.${field}`)] : checkFormat(`${at}.${field}`, value, pathSegmentName)
  })
}

/** An object of any kind. */
export function checkReference(reference: CrossVersionObjectReference | undefined, at: string, rules: ReferenceRules): FieldError[] {
  const errors = checkKindAndName(reference, at)
  const version = textOf(reference?.apiVersion)
  if (rules.anyVersion) return errors
  if (version.split('/').length > 2) return [...errors, invalid(`${at}.apiVersion`, version, `unexpected GroupVersion string: ${version}`)]
  const group = version.includes('/') ? version.split('/')[0] : ''
  return group === '' && !rules.emptyGroup ? [...errors, invalid(`${at}.apiVersion`, version, 'apiVersion must specify API group')] : errors
}
