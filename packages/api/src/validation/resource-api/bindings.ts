import { duplicate, invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkLabelName } from '../object-meta.ts'
import { checkList } from './lists.ts'

const conditionsLimit = 4

/** Conditions that a device waits for before its pod is bound, and those that end the wait: both or none, and no condition twice. */
export function checkBindingConditions(ready: readonly string[] | undefined, failed: readonly string[] | undefined, at: string): FieldError[] {
  const one = `${at}.bindingConditions`
  const other = `${at}.bindingFailureConditions`
  const check = (name: string, field: string): FieldError[] => checkLabelName(field, name)
  const errors = [...checkList(one, ready, conditionsLimit, check), ...checkList(other, failed, conditionsLimit, check)]
  ready?.forEach((name, i) => {
    if (ready.indexOf(name) < i) errors.push(duplicate(`${one}[${i}]`, name))
  })
  failed?.forEach((name, i) => {
    if (failed.indexOf(name) < i) errors.push(duplicate(`${other}[${i}]`, name))
    if (ready?.includes(name)) errors.push(invalid(`${other}[${i}]`, name, 'bindingFailureConditions must not overlap with bindingConditions'))
  })
  if (!ready?.length && failed?.length) errors.push(invalid(one, ready ?? null, 'bindingConditions are required to use bindingFailureConditions'))
  if (!failed?.length && ready?.length) errors.push(invalid(other, failed ?? null, 'bindingFailureConditions are required to use bindingConditions'))
  return errors
}
