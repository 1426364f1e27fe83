import { setOwn } from './parse.ts'
import type { Json, JsonObject } from '../schema/model.ts'

/** A copy that shares nothing with the value. */
export function clone<T extends Json>(value: T): T {
  if (Array.isArray(value)) return value.map((v) => clone(v)) as T
  if (typeof value !== 'object' || value === null) return value
  const out: JsonObject = {}
  for (const [key, member] of Object.entries(value)) if (member !== undefined) setOwn(out, key, clone(member))
  return out as T
}

/** Deep equality of JSON values; numbers and bigints compare by value. */
export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a === 'bigint') return typeof b === 'number' && Number.isInteger(b) && BigInt(b) === a
  if (typeof b === 'bigint') return equal(b, a)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => equal(v, b[i]))
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && equal(a[k], b[k]))
}

/** The Go type that a JSON value has behind an empty interface. */
export function goType(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  switch (typeof value) {
    case 'object': return 'map[string]interface {}'
    case 'boolean': return 'bool'
    case 'bigint': return 'int64'
    case 'number': return Number.isInteger(value) ? 'int64' : 'float64'
    default: return 'string'
  }
}

/** A value as Go's `%v` prints it. */
export function goFormat(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goFormat).join(' ')}]`
  if (typeof value === 'object') return `map[${Object.keys(value).sort().map((k) => `${k}:${goFormat(value[k])}`).join(' ')}]`
  return String(value)
}
