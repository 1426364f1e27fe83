import type { Condition } from '../types/meta/v1.ts'
import { textOf } from './common.ts'
import { duplicate, invalid, notSupported, required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { regexError } from './formats.ts'
import { checkLabelName } from './object-meta.ts'

const statuses = ['False', 'True', 'Unknown']
const reasonLength = 1024
const messageLength = 32 * 1024
const reasonForm = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'

/** A list of metav1.Conditions: each type once, all of it filled in. */
export function checkConditions(conditions: readonly Condition[] | undefined, at: string): FieldError[] {
  const types = new Set<string>()
  return (conditions ?? []).flatMap((condition, i) => {
    const field = `${at}[${i}]`
    const repeated = types.has(condition.type)
    types.add(condition.type)
    return [...(repeated ? [duplicate(`${field}.type`, condition.type)] : []), ...checkCondition(condition, field)]
  })
}

function checkCondition(condition: Condition, at: string): FieldError[] {
  const { type = '', status = '', reason = '', message = '', observedGeneration = 0 } = condition
  const errors = checkLabelName(`${at}.type`, type)
  if (!statuses.includes(status)) errors.push(notSupported(`${at}.status`, status, statuses))
  if (observedGeneration < 0) errors.push(invalid(`${at}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'))
  if (textOf(condition.lastTransitionTime) === '') errors.push(required(`${at}.lastTransitionTime`))
  if (reason === '') errors.push(required(`${at}.reason`))
  else {
    if (!new RegExp(`^${reasonForm}$`).test(reason)) {
      errors.push(invalid(`${at}.reason`, reason, regexError("a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
        reasonForm, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB')))
    }
    if (Buffer.byteLength(reason) > reasonLength) errors.push(tooLong(`${at}.reason`, reasonLength))
  }
  if (Buffer.byteLength(message) > messageLength) errors.push(tooLong(`${at}.message`, messageLength))
  return errors
}
