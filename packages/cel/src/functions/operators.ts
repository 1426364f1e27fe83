import { CelEvaluationError } from '../errors.ts'
import { compareCost, sizeOf, traversal } from './cost.ts'
import { overload } from './overload.ts'
import { CelList, GrowingList, GrowingMap, ValueMap } from '../values/containers.ts'
import { compare, contains, elementKey, equal } from '../values/compare.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import { checkedInt, checkedUint, minInt, Uint } from '../values/scalars.ts'
import { checkedDuration, checkedTimestamp } from '../values/time.ts'
import { OpaqueValue } from '../values/value.ts'
import type { Overload } from './overload.ts'
import type { CelMap } from '../values/containers.ts'
import type { Duration, Timestamp } from '../values/time.ts'
import type { OptionalValue, Value } from '../values/value.ts'

const orders = { '_<_': (order: number) => order < 0, '_<=_': (order: number) => order <= 0, '_>_': (order: number) => order > 0, '_>=_': (order: number) => order >= 0 }

function comparisons(): Overload[] {
  const numbers = ['int', 'uint', 'double']
  const pairs = [
    ...['bool', 'string', 'bytes', 'timestamp', 'duration'].map(type => [type, type]), ...numbers.flatMap(a => numbers.map(b => [a, b])),
  ]
  return Object.entries(orders).flatMap(([name, holds]) => pairs.map(([a, b]) => {
    const cost = a === 'string' || a === 'bytes' ? compareCost : undefined
    return overload(`${name}(${a}, ${b}): bool`, (left: Value, right: Value) => {
      const order = compare(left, right)
      return order !== undefined && holds(order)
    }, cost)
  }))
}

const joined = (args: readonly Value[]): number => traversal(sizeOf(args[0]) + sizeOf(args[1]))

// Equality of what Kubernetes adds costs one; of others, reading the smaller side.
const equalityCost = (args: readonly Value[]): number => args[0] instanceof OpaqueValue ? 1 : compareCost(args)

function divide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new CelEvaluationError('division by zero')
  return a / b
}

function modulo(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new CelEvaluationError('modulus by zero')
  return a % b
}

function negate(value: bigint): bigint {
  if (value === minInt) throw new CelEvaluationError('integer overflow')
  return -value
}

/** Joins lists; lists that are sets or have keys are merged, as their schema declares. */
function addLists(a: CelList, b: CelList): Value {
  const { kind } = a
  if (a instanceof GrowingList) return a.append(b)
  if (kind === 'atomic') return new CelList([...a, ...b])
  if (kind === 'set') return a.with([...a, ...[...b].filter(item => !contains(a, item))])
  const replaced = new Map([...a].map(item => [elementKey(item, kind.keys), item]))
  for (const item of b) replaced.set(elementKey(item, kind.keys), item)
  return a.with([...replaced.values()])
}

const arithmetic: readonly Overload[] = [
  overload('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => Buffer.concat([a, b]), joined),
  overload('_+_(double, double): double', (a: number, b: number) => a + b),
  overload('_+_(duration, duration): duration', (a: Duration, b: Duration) => checkedDuration(a.nanos + b.nanos)),
  overload('_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) => checkedTimestamp(a.nanos + b.nanos, b.offsetMinutes)),
  overload('_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => checkedTimestamp(a.nanos + b.nanos, a.offsetMinutes)),
  overload('_+_(int, int): int', (a: bigint, b: bigint) => checkedInt(a + b)),
  overload('_+_(list(A), list(A)): list(A)', addLists),
  overload('_+_(string, string): string', (a: string, b: string) => a + b, joined),
  overload('_+_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value + b.value)),
  overload('_-_(double, double): double', (a: number, b: number) => a - b),
  overload('_-_(duration, duration): duration', (a: Duration, b: Duration) => checkedDuration(a.nanos - b.nanos)),
  overload('_-_(int, int): int', (a: bigint, b: bigint) => checkedInt(a - b)),
  overload('_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => checkedTimestamp(a.nanos - b.nanos, a.offsetMinutes)),
  overload('_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) => checkedDuration(a.nanos - b.nanos)),
  overload('_-_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value - b.value)),
  overload('_*_(double, double): double', (a: number, b: number) => a * b),
  overload('_*_(int, int): int', (a: bigint, b: bigint) => checkedInt(a * b)),
  overload('_*_(uint, uint): uint', (a: Uint, b: Uint) => checkedUint(a.value * b.value)),
  overload('_/_(double, double): double', (a: number, b: number) => a / b),
  overload('_/_(int, int): int', (a: bigint, b: bigint) => checkedInt(divide(a, b))),
  overload('_/_(uint, uint): uint', (a: Uint, b: Uint) => new Uint(divide(a.value, b.value))),
  overload('_%_(int, int): int', modulo),
  overload('_%_(uint, uint): uint', (a: Uint, b: Uint) => new Uint(modulo(a.value, b.value))),
  overload('-_(double): double', (a: number) => -a),
  overload('-_(int): int', negate),
]

/** An element by its position, which may be any whole number. Throws `index out of bounds`. */
export function at(list: CelList, index: Value): Value {
  const position = typeof index === 'bigint' ? Number(index) : index instanceof Uint ? Number(index.value) : typeof index === 'number' && Number.isInteger(index) ? index : undefined
  if (typeof index === 'number' && position === undefined) throw new CelEvaluationError(`unsupported index value ${index} in list`)
  if (position === undefined) throw new CelEvaluationError(`unsupported index type '${typeNameOf(index)}' in list`)
  if (position < 0 || position >= list.size) throw new CelEvaluationError(`index out of bounds: ${position}`)
  return list.at(position)
}

const membership: readonly Overload[] = [
  overload('@in(A, list(A)): bool', (item: Value, list: CelList) => contains(list, item), args => sizeOf(args[1])),
  overload('@in(A, map(A, B)): bool', (key: Value, map: CelMap) => map.has(key)),
]

/** Operators of the language: arithmetic, comparison, equality, indexing, membership. && || ?: are built into evaluation. */
export const operators: readonly Overload[] = [
  ...arithmetic,
  ...comparisons(),
  ...membership,
  overload('_==_(A, A): bool', (a: Value, b: Value) => equal(a, b), equalityCost),
  overload('_!=_(A, A): bool', (a: Value, b: Value) => !equal(a, b), compareCost),
  overload('!_(bool): bool', (a: boolean) => !a),
  overload('_&&_(bool, bool): bool', (a: boolean, b: boolean) => a && b),
  overload('_||_(bool, bool): bool', (a: boolean, b: boolean) => a || b),
  overload('_?_:_(bool, A, A): A', (condition: boolean, a: Value, b: Value) => condition ? a : b),
  overload('@not_strictly_false(bool): bool', (a: boolean) => a),
  overload('_[_](list(A), int): A', at),
  overload('_[_](map(A, B), A): B', (map: CelMap, key: Value) => map.get(key) ?? null),
  overload('_[_](optional(list(A)), int): optional(A)', (a: OptionalValue) => a),
  overload('_[_](optional(map(A, B)), A): optional(B)', (a: OptionalValue) => a),
  overload('_[?_](list(A), int): optional(A)', (a: CelList) => a),
  overload('_[?_](optional(list(A)), int): optional(A)', (a: OptionalValue) => a),
  overload('_[?_](map(A, B), A): optional(B)', (a: CelMap) => a),
  overload('_[?_](optional(map(A, B)), A): optional(B)', (a: OptionalValue) => a),
  overload('cel.@mapInsert(map(A, B), map(A, B)): map(A, B)', (map: CelMap, entries: CelMap) => insert(map, entries.entries())),
  overload('cel.@mapInsert(map(A, B), A, B): map(A, B)', (map: CelMap, key: Value, value: Value) => insert(map, [[key, value]])),
]

function insert(map: CelMap, entries: Iterable<readonly [Value, Value]>): Value {
  const added = [...entries]
  for (const [key] of added) if (map.has(key)) throw new CelEvaluationError(`insert failed: key ${String(key)} already exists`)
  if (!(map instanceof GrowingMap)) return new ValueMap([...map.entries(), ...added])
  for (const [key, value] of added) map.insert(key, value)
  return map
}
