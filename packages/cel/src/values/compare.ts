import { CelList, CelMap, mapKey } from './containers.ts'
import { noSuchOverload } from '../errors.ts'
import { compareNumbers, Uint } from './scalars.ts'
import { Duration, Timestamp } from './time.ts'
import { OpaqueValue, OptionalValue, TypeValue } from './value.ts'
import type { Value } from './value.ts'

/** CEL's equality: numbers by value across kinds, lists and maps by content, values of different types unequal. */
export function equal(a: Value, b: Value): boolean {
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0
  if (a === null || typeof a !== 'object') return a === b
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index])
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b)
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b)
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name
  if (a instanceof OpaqueValue) return b instanceof OpaqueValue && a.typeName === b.typeName && a.equals(b)
  if (a instanceof OptionalValue && b instanceof OptionalValue) {
    return a.value === undefined || b.value === undefined ? a.value === b.value : equal(a.value, b.value)
  }
  return false
}

function equalLists(a: CelList, b: CelList): boolean {
  if (a.size !== b.size) return false
  // A set, or a list with keys, is the same in any order: the schema of either side may say so.
  const kind = a.kind === 'atomic' ? b.kind : a.kind
  if (kind === 'set') return [...a].every(item => contains(b, item))
  if (typeof kind === 'object') {
    const byKey = new Map([...b].map(item => [elementKey(item, kind.keys), item]))
    return [...a].every(item => {
      const other = byKey.get(elementKey(item, kind.keys))
      return other !== undefined && equal(item, other)
    })
  }
  for (let index = 0; index < a.size; index++) if (!equal(a.at(index), b.at(index))) return false
  return true
}

function equalMaps(a: CelMap, b: CelMap): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a.entries()) {
    const other = b.get(key)
    if (other === undefined || !equal(value, other)) return false
  }
  return true
}

/** What identifies an element of a list with keys. */
export function elementKey(item: Value, keys: readonly string[]): string {
  if (!(item instanceof CelMap)) return ''
  return JSON.stringify(keys.map(key => {
    const value = item.get(key)
    return value === undefined ? null : mapKey(value) ?? null
  }))
}

export function contains(list: CelList, item: Value): boolean {
  for (const other of list) if (equal(other, item)) return true
  return false
}

export function isNumber(value: Value): value is bigint | number | Uint {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint
}

/** The order of two values of a comparable type: negative, 0, positive; undefined with NaN. Throws `no such overload` for others. */
export function compare(a: Value, b: Value): number | undefined {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b)
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Timestamp && b instanceof Timestamp || a instanceof Duration && b instanceof Duration) return compareNumbers(a.nanos, b.nanos)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  throw noSuchOverload()
}

// Go compares bytes of UTF-8, which is the order of code points; UTF-16 differs above U+FFFF.
function compareText(a: string, b: string): number {
  if (a === b) return 0
  return /[\ud800-\udfff]/.test(a) || /[\ud800-\udfff]/.test(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1
}
