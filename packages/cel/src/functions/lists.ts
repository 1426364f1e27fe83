import { CelEvaluationError } from '../errors.ts'
import { listCost, sizeOf, stringFactor, treeCost } from './cost.ts'
import { overload } from './overload.ts'
import { CelList, listOf } from '../values/containers.ts'
import { compare, equal } from '../values/compare.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import { checkedInt, checkedUint, Uint } from '../values/scalars.ts'
import { checkedDuration, Duration } from '../values/time.ts'
import { OptionalValue } from '../values/value.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

const comparable = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes']
const visits = (args: readonly Value[]): number => treeCost(args[0])

function isSorted(list: CelList): boolean {
  for (let index = 1; index < list.size; index++) if ((compare(list.at(index - 1), list.at(index)) ?? 0) > 0) return false
  return true
}

function extreme(name: string, list: CelList, better: (order: number) => boolean): Value {
  let best: Value | undefined
  for (const item of list) if (best === undefined || better(compare(best, item) ?? 0)) best = item
  if (best === undefined) throw new CelEvaluationError(`${name} called on empty list`)
  return best
}

const sums: Readonly<Record<string, (list: CelList) => Value>> = {
  int: list => [...list].reduce<bigint>((sum, item) => checkedInt(sum + (item as bigint)), 0n),
  uint: list => [...list].reduce<Uint>((sum, item) => checkedUint(sum.value + (item as Uint).value), new Uint(0n)),
  double: list => [...list].reduce<number>((sum, item) => sum + (item as number), 0),
  duration: list => [...list].reduce<Duration>((sum, item) => checkedDuration(sum.nanos + (item as Duration).nanos), new Duration(0n)),
}

function indexOf(list: CelList, item: Value): bigint {
  for (let index = 0; index < list.size; index++) if (equal(list.at(index), item)) return BigInt(index)
  return -1n
}

function lastIndexOf(list: CelList, item: Value): bigint {
  for (let index = list.size - 1; index >= 0; index--) if (equal(list.at(index), item)) return BigInt(index)
  return -1n
}

function slice(list: CelList, start: bigint, end: bigint): Value {
  if (start < 0n || end < 0n) throw new CelEvaluationError(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end) throw new CelEvaluationError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (end > BigInt(list.size)) throw new CelEvaluationError(`cannot slice(${start}, ${end}), list is length ${list.size}`)
  return listOf([...list].slice(Number(start), Number(end)))
}

function flatten(list: CelList, depth: bigint): Value {
  if (depth < 0n) throw new CelEvaluationError('level must be non-negative')
  const flat = (list: CelList, left: bigint): Value[] => [...list].flatMap(item => item instanceof CelList && left > 0n ? flat(item, left - 1n) : [item])
  return listOf(flat(list, depth))
}

function distinct(list: CelList): Value {
  const kept: Value[] = []
  for (const item of list) if (!kept.some(other => equal(other, item))) kept.push(item)
  return listOf(kept)
}

function range(count: bigint): Value {
  // An API expression's cost limit is far below this; an array of more would end the process first.
  if (count > 10_000_000n) throw new CelEvaluationError(`range of ${count} elements is too large`)
  return listOf(Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index)))
}

function sortBy(list: CelList, keys: CelList): Value {
  if (list.size !== keys.size) {
    throw new CelEvaluationError(`@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.size} and ${keys.size} elements respectively`)
  }
  const type = keys.size === 0 ? '' : typeNameOf(keys.at(0))
  const pairs = [...list].map((item, index): [Value, Value] => [keys.at(index), item])
  if (pairs.some(([key]) => typeNameOf(key) !== type)) throw new CelEvaluationError('list elements must have the same type')
  return listOf(pairs.sort(([a], [b]) => compare(a, b) ?? 0).map(([, item]) => item))
}

const element = (value: Value | undefined): Value => new OptionalValue(value)

const resultCost = (_: readonly Value[], result: Value): number => listCost(sizeOf(result))

function selfComparison(list: Value | undefined): number {
  const size = sizeOf(list)
  const first = list instanceof CelList && size > 0 ? list.at(0) : undefined
  const text = typeof first === 'string' || first instanceof Uint8Array
  return listCost(size * size * (text ? 2 + stringFactor : 2))
}

/** Kubernetes' list functions, version 3 of the lists extension, and `first`/`last` of optionals. */
export const lists: readonly Overload[] = [
  ...comparable.flatMap(type => [
    overload(`list(${type})->isSorted(): bool`, isSorted, visits),
    overload(`list(${type})->max(): ${type}`, (list: CelList) => extreme('max', list, order => order < 0), visits),
    overload(`list(${type})->min(): ${type}`, (list: CelList) => extreme('min', list, order => order > 0), visits),
    overload(`list(${type})->sort(): list(${type})`, (list: CelList) => sortBy(list, list), args => selfComparison(args[0])),
    overload(`list(T)->@sortByAssociatedKeys(list(${type})): list(T)`, sortBy, args => selfComparison(args[1])),
  ]),
  ...Object.entries(sums).map(([type, sum]) => overload(`list(${type})->sum(): ${type}`, sum, visits)),
  overload('list(A)->indexOf(A): int', indexOf, visits),
  overload('list(A)->lastIndexOf(A): int', lastIndexOf, visits),
  overload('list(T)->slice(int, int): list(T)', slice, resultCost),
  overload('list(list(T))->flatten(): list(T)', (list: CelList) => flatten(list, 1n), args => listCost(sizeOf(args[0]))),
  overload('list(dyn)->flatten(int): list(dyn)', flatten, args => listCost(Number(args[1]) * sizeOf(args[0]))),
  overload('lists.range(int): list(int)', range, resultCost),
  overload('list(T)->reverse(): list(T)', (list: CelList) => listOf([...list].reverse()), resultCost),
  overload('list(T)->distinct(): list(T)', distinct, args => selfComparison(args[0])),
  overload('list(T)->first(): optional(T)', (list: CelList) => element(list.size === 0 ? undefined : list.at(0))),
  overload('list(T)->last(): optional(T)', (list: CelList) => element(list.size === 0 ? undefined : list.at(list.size - 1))),
]
