import { CelEvaluationError } from '../errors.ts'
import type { ObjectType } from '../types/types.ts'
import type { Value } from './value.ts'

/** How a list compares: by position, or as a set or a map with keys, as the schema of a list declares. */
export type ListKind = 'atomic' | 'set' | { readonly keys: readonly string[] }

/** A list. Elements out of API objects are converted when they are read. */
export class CelList {
  readonly kind: ListKind
  private readonly items: readonly unknown[]
  private readonly convert: ((item: unknown) => Value) | undefined

  constructor(items: readonly unknown[], convert?: (item: unknown) => Value, kind: ListKind = 'atomic') {
    this.items = items
    this.convert = convert
    this.kind = kind
  }

  get size(): number {
    return this.items.length
  }

  at(index: number): Value {
    const item = this.items[index]
    return this.convert === undefined ? item as Value : this.convert(item)
  }

  * [Symbol.iterator](): Generator<Value> {
    for (let index = 0; index < this.items.length; index++) yield this.at(index)
  }

  /** Another list of the same kind with these values. */
  with(values: readonly Value[]): CelList {
    return new CelList(values, undefined, this.kind)
  }
}

/** A list that a comprehension is still building: appending changes it in place. Nobody else sees it before {@link done}. */
export class GrowingList extends CelList {
  private readonly grown: Value[]

  constructor() {
    const grown: Value[] = []
    super(grown)
    this.grown = grown
  }

  append(values: Iterable<Value>): this {
    for (const value of values) this.grown.push(value)
    return this
  }

  done(): CelList {
    return new CelList(this.grown)
  }
}

/** A list of values that need no conversion. */
export function listOf(values: readonly Value[]): CelList {
  return new CelList(values)
}

/** A map, or an object with declared fields (then `objectType` is set). Absent keys give undefined. */
export abstract class CelMap {
  readonly objectType: ObjectType | undefined

  constructor(objectType?: ObjectType) {
    this.objectType = objectType
  }

  abstract get(key: Value): Value | undefined
  abstract readonly size: number
  abstract keys(): Iterable<Value>

  has(key: Value): boolean {
    return this.get(key) !== undefined
  }

  * entries(): Generator<[Value, Value]> {
    for (const key of this.keys()) {
      const value = this.get(key)
      if (value !== undefined) yield [key, value]
    }
  }
}

/** A map over a plain record, converting as it is read; its keys are strings. */
export class RecordMap extends CelMap {
  private readonly record: Readonly<Record<string, unknown>>
  private readonly convert: (value: unknown, key: string) => Value

  constructor(record: Readonly<Record<string, unknown>>, convert: (value: unknown, key: string) => Value) {
    super()
    this.record = record
    this.convert = convert
  }

  get size(): number {
    return Object.keys(this.record).length
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.record, key)) return undefined
    const value = this.record[key]
    return value === undefined ? undefined : this.convert(value, key)
  }

  keys(): Iterable<Value> {
    return Object.keys(this.record)
  }
}

/** A map of values by scalar keys; 1, 1u and 1.0 are the same key, and of equal keys the last counts. */
export class ValueMap extends CelMap {
  private readonly byKey = new Map<string, [Value, Value]>()

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super()
    for (const [key, value] of entries) this.put(key, value)
  }

  protected put(key: Value, value: Value): void {
    const id = mapKey(key)
    if (id === undefined) throw new CelEvaluationError('unsupported key type')
    this.byKey.set(id, [key, value])
  }

  get size(): number {
    return this.byKey.size
  }

  get(key: Value): Value | undefined {
    const id = mapKey(key)
    return id === undefined ? undefined : this.byKey.get(id)?.[1]
  }

  * keys(): Generator<Value> {
    for (const [key] of this.byKey.values()) yield key
  }
}

/** A map that a comprehension is still building, as {@link GrowingList}. */
export class GrowingMap extends ValueMap {
  insert(key: Value, value: Value): void {
    this.put(key, value)
  }

  done(): ValueMap {
    return new ValueMap(this.entries())
  }
}

/** A text that is the same for equal map keys; undefined for what cannot be a key. */
export function mapKey(key: Value): string | undefined {
  switch (typeof key) {
    case 'string': return `s${key}`
    case 'boolean': return `b${key}`
    case 'bigint': return `n${key}`
    case 'number': return Number.isInteger(key) ? `n${BigInt(key)}` : `d${key}`
    default: return key !== null && 'value' in key && typeof key.value === 'bigint' ? `n${key.value}` : undefined
  }
}
