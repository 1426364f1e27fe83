import type { Quantity } from '../../quantity/index.ts'
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from '../../types/resource/v1.ts'
import { quantity } from '../common.ts'
import { forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkSet } from './lists.ts'

const optionsLimit = 10

/** A capacity of a device; only of one that several may share may parts be asked for. */
export function checkCapacity({ value, requestPolicy: policy }: DeviceCapacity, at: string, shared: boolean): FieldError[] {
  if (!policy) return []
  const field = `${at}.requestPolicy`
  if (!shared) return [forbidden(field, 'allowMultipleAllocations must be true')]
  const { validValues, validRange } = policy
  if (validValues?.length && validRange) return [forbidden(field, 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time')]
  if (validValues?.length) return checkValues(policy, quantity(value), field)
  return validRange ? checkRangeOf(policy.default, validRange, quantity(value), field) : []
}

function checkValues({ validValues = [], default: given }: CapacityRequestPolicy, capacity: Quantity, at: string): FieldError[] {
  if (given === undefined) return [required(`${at}.default`, 'required when validValues is defined')]
  const field = `${at}.validValues`
  const errors: FieldError[] = []
  validValues.slice(1).forEach((value, i) => {
    if (quantity(validValues[i]).cmp(quantity(value)) > 0) errors.push(invalid(`${field}[${i + 1}]`, value, 'values must be sorted in ascending order'))
  })
  errors.push(...checkSet(field, validValues, optionsLimit,
    (value, at) => (quantity(value).cmp(capacity) > 0 ? [invalid(at, value, `option is larger than capacity value: ${capacity.toString()}`)] : []), (value) => String(quantity(value).value())))
  if (!validValues.some((value) => quantity(value).cmp(quantity(given)) === 0)) errors.push(invalid(field, given, 'default value is not valid according to the requestPolicy'))
  return errors
}

function checkRangeOf(given: string | undefined, { min, max, step }: CapacityRequestPolicyRange, capacity: Quantity, at: string): FieldError[] {
  if (given === undefined) return [required(`${at}.default`, 'required when validRange is defined')]
  const field = `${at}.validRange`
  if (min === undefined) return [required(`${field}.min`, 'required when validRange is defined')]
  const least = quantity(min)
  const errors: FieldError[] = []
  if (least.cmp(capacity) > 0) errors.push(invalid(`${field}.min`, min, `min is larger than capacity value: ${capacity.toString()}`))
  if (quantity(given).cmp(least) < 0) errors.push(invalid(`${field}.min`, given, `default is less than min: ${min}`))
  if (max !== undefined) {
    if (least.cmp(quantity(max)) > 0) errors.push(invalid(`${field}.max`, min, `min is larger than max: ${max}`))
    if (quantity(max).cmp(capacity) > 0) errors.push(invalid(`${field}.max`, max, `max is larger than capacity value: ${capacity.toString()}`))
    if (quantity(given).cmp(quantity(max)) > 0) errors.push(invalid(`${field}.max`, given, `default is more than max: ${max}`))
  }
  if (step === undefined) return errors
  const added = least.add(quantity(step))
  if (added.cmp(capacity) > 0) errors.push(invalid(`${field}.step`, step, `one step ${added.toString()} is larger than capacity value: ${capacity.toString()}`))
  const whole = quantity(step).value()
  for (const value of [given, ...(max === undefined ? [] : [max])]) {
    if (whole === 0n || (quantity(value).value() - least.value()) % whole !== 0n) errors.push(invalid(`${field}.step`, value, `value is not a multiple of a given step (${step}) from (${min})`))
  }
  return errors
}
