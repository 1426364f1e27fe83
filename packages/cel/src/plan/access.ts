import { at } from '../functions/operators.ts'
import { CelEvaluationError, noSuchKey, noSuchOverload } from '../errors.ts'
import { CelList, CelMap } from '../values/containers.ts'
import { none, OptionalValue } from '../values/value.ts'
import { Uint } from '../values/scalars.ts'
import type { EvaluationContext } from './context.ts'
import type { Value } from '../values/value.ts'

/** `value.field`. Throws `no such key`. On an optional value the selection is optional too. */
export function selectField(value: Value, field: string, context: EvaluationContext): Value {
  if (value instanceof CelMap) {
    context.charge(1)
    const found = value.get(field)
    if (found === undefined) throw noSuchKey(field)
    return found
  }
  if (value instanceof OptionalValue) return value.value === undefined ? none : optionalSelect(value.value, field, context)
  context.charge(1)
  if (value === null) throw noSuchKey(field)
  throw value instanceof CelList ? new CelEvaluationError('unsupported index type \'string\' in list') : noSuchOverload()
}

/** `value.?field`: none where it is absent. */
export function optionalSelect(value: Value, field: string, context: EvaluationContext): Value {
  if (value instanceof OptionalValue) return value.value === undefined ? none : optionalSelect(value.value, field, context)
  if (!(value instanceof CelMap)) throw noSuchOverload()
  const found = value.get(field)
  if (found === undefined) return none
  context.charge(1)
  return new OptionalValue(found)
}

/** `has(value.field)`; what has no fields at all does not have this one. */
export function fieldPresent(value: Value, field: string): boolean {
  if (value instanceof CelMap) return value.has(field)
  return value instanceof OptionalValue && value.value !== undefined && fieldPresent(value.value, field)
}

/** `value[index]`. Throws `no such key` and `index out of bounds`. */
export function indexOf(value: Value, index: Value, context: EvaluationContext): Value {
  if (value instanceof OptionalValue) return value.value === undefined ? none : optionalIndex(value.value, index, context)
  context.charge(1)
  if (value instanceof CelList) return at(value, index)
  if (!(value instanceof CelMap)) throw noSuchOverload()
  const found = value.get(index)
  if (found === undefined) throw noSuchKey(index instanceof Uint ? index.value.toString() : String(index))
  return found
}

/** `value[?index]`: none where it is absent. */
export function optionalIndex(value: Value, index: Value, context: EvaluationContext): Value {
  if (value instanceof OptionalValue) return value.value === undefined ? none : optionalIndex(value.value, index, context)
  const found = value instanceof CelMap ? value.get(index) : value instanceof CelList ? elementOrNothing(value, index) : undefined
  if (found === undefined) return none
  context.charge(1)
  return new OptionalValue(found)
}

function elementOrNothing(list: CelList, index: Value): Value | undefined {
  const position = typeof index === 'bigint' ? Number(index) : typeof index === 'number' ? index : index instanceof Uint ? Number(index.value) : -1
  return Number.isInteger(position) && position >= 0 && position < list.size ? list.at(position) : undefined
}
