import { CelEvaluationError } from '../errors.ts'
import { CelList, CelMap, RecordMap } from './containers.ts'
import { checkedInt, Uint } from './scalars.ts'
import { Duration, parseGoDuration, parseRfc3339, Timestamp } from './time.ts'
import { OpaqueValue, OptionalValue, TypeValue } from './value.ts'
import type { ListKind } from './containers.ts'
import type { CelType, ObjectType } from '../types/types.ts'
import type { Value } from './value.ts'

/** An API value (parsed JSON) as a value of expressions; numbers without a fraction are int. Nested values convert when they are read. */
export function fromJson(value: unknown): Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint': return value
    case 'number': return Number.isInteger(value) ? BigInt(value) : value
    default:
  }
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return new CelList(value, fromJson)
  if (isValue(value)) return value
  return new RecordMap(value as Record<string, unknown>, fromJson)
}

function isValue(value: unknown): value is Value {
  return value instanceof CelMap || value instanceof CelList || value instanceof OptionalValue || value instanceof OpaqueValue || value instanceof Timestamp
    || value instanceof Duration || value instanceof Uint || value instanceof Uint8Array || value instanceof TypeValue
}

/** How a declared type reads its JSON: what a list compares as, and the names of an object's properties. */
export interface TypeLayout {
  listKind(type: CelType): ListKind
  /** The JSON property that a (possibly escaped) field name stands for. */
  property(type: ObjectType, field: string): string
}

/** An API value as its declared type says. Throws {@link CelEvaluationError} where the value is not of that type. */
export function fromTypedJson(value: unknown, type: CelType, layout: TypeLayout): Value {
  if (value === null || value === undefined) return null
  if (isValue(value)) return value
  switch (type.kind) {
    case 'bool': if (typeof value === 'boolean') return value
      break
    case 'string': if (typeof value === 'string') return value
      break
    case 'int':
      if (typeof value === 'bigint') return checkedInt(value)
      if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
      break
    case 'double': if (typeof value === 'number' || typeof value === 'bigint') return Number(value)
      break
    case 'bytes': if (typeof value === 'string') return Buffer.from(value, 'base64')
      break
    case 'timestamp': {
      const time = typeof value === 'string' ? parseRfc3339(/^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00:00Z` : value) : undefined
      if (time !== undefined) return time
      break
    }
    case 'duration': {
      const duration = typeof value === 'string' ? parseGoDuration(value) : undefined
      if (duration !== undefined) return duration
      break
    }
    case 'list': if (Array.isArray(value)) return new CelList(value, item => fromTypedJson(item, type.element, layout), layout.listKind(type))
      break
    case 'map':
      if (isRecord(value)) return new RecordMap(value, item => fromTypedJson(item, type.value, layout))
      break
    case 'object':
      if (isRecord(value)) return new TypedObject(value, type, layout)
      break
    default: return fromJson(value)
  }
  throw new CelEvaluationError(`invalid data, expected a value of type ${type.kind}`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

class TypedObject extends CelMap {
  private readonly record: Readonly<Record<string, unknown>>
  private readonly type: ObjectType
  private readonly layout: TypeLayout

  constructor(record: Readonly<Record<string, unknown>>, type: ObjectType, layout: TypeLayout) {
    super(type)
    this.record = record
    this.type = type
    this.layout = layout
  }

  get size(): number {
    return [...this.keys()].length
  }

  get(key: Value): Value | undefined {
    const type = typeof key === 'string' ? this.type.fields.get(key) : undefined
    if (type === undefined || typeof key !== 'string') return undefined
    const property = this.layout.property(this.type, key)
    const value = Object.hasOwn(this.record, property) ? this.record[property] : undefined
    return value === undefined ? undefined : fromTypedJson(value, type, this.layout)
  }

  * keys(): Generator<Value> {
    for (const field of this.type.fields.keys()) {
      const property = this.layout.property(this.type, field)
      if (Object.hasOwn(this.record, property) && this.record[property] !== undefined) yield field
    }
  }
}

/** An object that an expression constructs: `Type{field: value}`. */
export function constructed(type: ObjectType, fields: readonly (readonly [string, Value])[]): CelMap {
  return new ConstructedObject(type, new Map(fields))
}

class ConstructedObject extends CelMap {
  private readonly fields: ReadonlyMap<string, Value>

  constructor(type: ObjectType, fields: ReadonlyMap<string, Value>) {
    super(type)
    this.fields = fields
  }

  get size(): number {
    return this.fields.size
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.fields.get(key) : undefined
  }

  keys(): Iterable<Value> {
    return this.fields.keys()
  }
}

/** A value as plain data, for results that leave the expression: int as bigint or number, timestamps and durations as their text. */
export function toJson(value: Value): unknown {
  if (value === null || typeof value !== 'object') {
    return typeof value === 'bigint' && value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
  }
  if (value instanceof Uint) return toJson(value.value)
  if (value instanceof CelList) return [...value].map(toJson)
  if (value instanceof CelMap) return Object.fromEntries([...value.entries()].map(([key, item]) => [String(toJson(key)), toJson(item)]))
  if (value instanceof OptionalValue) return value.value === undefined ? undefined : toJson(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return value instanceof TypeValue ? value.name : String(value)
}
