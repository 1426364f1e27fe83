import type { LabelSelector } from '../types/meta/v1.ts'
import { checkFormat, child, textOf } from './common.ts'
import { forbidden, invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { labelValueFormat } from './formats.ts'
import { checkLabelName, checkLabels } from './object-meta.ts'

/** A LabelSelector; absent is well-formed. */
export function checkLabelSelector(field: string, selector: LabelSelector | undefined, allowInvalidValues = false): FieldError[] {
  if (!selector) return []
  return [
    ...checkLabels(child(field, 'matchLabels'), selector.matchLabels),
    ...(selector.matchExpressions ?? []).flatMap((requirement, i) => checkRequirement(`${field}.matchExpressions[${i}]`, requirement, allowInvalidValues)),
  ]
}

function checkRequirement(field: string, { key, operator, values }: NonNullable<LabelSelector['matchExpressions']>[number], allowInvalidValues: boolean): FieldError[] {
  const errors: FieldError[] = []
  const at = child(field, 'values')
  if (operator === 'In' || operator === 'NotIn') {
    if (!values?.length) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values?.length) errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  } else errors.push(invalid(child(field, 'operator'), textOf(operator), 'not a valid selector operator'))
  errors.push(...checkLabelName(child(field, 'key'), textOf(key)))
  if (!allowInvalidValues) values?.forEach((value, i) => errors.push(...checkFormat(`${at}[${i}]`, value, labelValueFormat)))
  return errors
}

/** True if a selector restricts nothing: no labels, no expressions. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0) === 0
}
