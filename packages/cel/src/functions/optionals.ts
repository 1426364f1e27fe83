import { CelEvaluationError } from '../errors.ts'
import { overload } from './overload.ts'
import { CelList, CelMap, listOf } from '../values/containers.ts'
import { Uint } from '../values/scalars.ts'
import { Duration } from '../values/time.ts'
import { none, OptionalValue } from '../values/value.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === '') return true
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Uint8Array) return value.length === 0
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0
  if (value instanceof Duration) return value.nanos === 0n
  return value instanceof OptionalValue && value.value === undefined
}

function valueOf(optional: OptionalValue): Value {
  if (optional.value === undefined) throw new CelEvaluationError('optional.none() dereference')
  return optional.value
}

function unwrap(list: CelList): Value {
  return listOf([...list].flatMap(item => item instanceof OptionalValue ? item.value === undefined ? [] : [item.value] : [item]))
}

/** Optional values. `or` and `orValue` evaluate their argument only where it is needed, so evaluation treats them itself. */
export const optionals: readonly Overload[] = [
  overload('optional.of(V): optional(V)', (value: Value) => new OptionalValue(value)),
  overload('optional.ofNonZeroValue(V): optional(V)', (value: Value) => isZero(value) ? none : new OptionalValue(value)),
  overload('optional.none(): optional(V)', () => none),
  overload('optional(V)->value(): V', valueOf),
  overload('optional(V)->hasValue(): bool', (optional: OptionalValue) => optional.value !== undefined),
  overload('optional(V)->or(optional(V)): optional(V)', (a: OptionalValue, b: OptionalValue) => a.value === undefined ? b : a),
  overload('optional(V)->orValue(V): V', (a: OptionalValue, b: Value) => a.value ?? b),
  overload('optional.unwrap(list(optional(V))): list(V)', unwrap),
  overload('list(optional(V))->unwrapOpt(): list(V)', unwrap),
]
