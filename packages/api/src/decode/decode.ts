import { parseQuantity } from '../quantity/index.ts'
import { setOwn } from '../json/parse.ts'
import type { FieldSchema, Json, JsonObject, ObjectSchema, ScalarSchema, StructSchema, TypeSchema } from '../schema/model.ts'
import { DecodeError } from './errors.ts'
import { canonicalBase64, canonicalDuration, canonicalTime } from './scalars.ts'
import { isEmpty, isObject } from './values.ts'
import { zeroValue } from './zero.ts'

/** What to do about unknown and duplicate fields: the query parameter `fieldValidation`. */
export type FieldValidation = 'strict' | 'warn' | 'ignore'

export interface Decoded {
  /** The object with known fields only, in Go's field order; values Go would not write (`omitempty`) are gone. */
  readonly object: JsonObject
  /** `unknown field "spec.foo"`, `duplicate field "data.a"`: to be given as warnings. Empty for `ignore`. */
  readonly problems: string[]
}

/** Upstream stops collecting here. */
const maxProblems = 100

/**
 * Reads a parsed JSON value as an object of the schema's type: checks types, prunes unknown fields, brings quantities, times and bytes into the one form
 * in which they are written. Defaults are not filled in; lists that Go writes without `omitempty` are `[]` where they are missing.
 * @param duplicates what parseJson reported
 * @throws DecodeError on a wrong type (worded as Go's encoding/json) and, in strict mode, on unknown or duplicate fields
 */
export function decode(schema: ObjectSchema | StructSchema, value: unknown, mode: FieldValidation, duplicates: readonly string[] = []): Decoded {
  const decoder = new Decoder(mode !== 'ignore', duplicates)
  const object = decoder.root(schema, value as Json)
  if (mode === 'strict' && decoder.problems.length > 0) throw new DecodeError(`strict decoding error: ${decoder.problems.join(', ')}`, decoder.problems)
  return { object, problems: decoder.problems }
}

/** Where a value stands, for messages: the struct that holds it, Go's path of field names, and the path with indexes. */
interface Place {
  readonly struct: string
  readonly fields: string
  readonly path: string
}

class Decoder {
  readonly problems: string[] = []
  readonly #collect: boolean
  readonly #duplicates: ReadonlySet<string>
  /** As Go does: decoding goes on after a wrong type, and the first one is reported. */
  #error: string | undefined

  constructor(collect: boolean, duplicates: readonly string[]) {
    this.#collect = collect
    this.#duplicates = new Set(duplicates)
  }

  root(schema: StructSchema, value: Json): JsonObject {
    const object = isObject(value) ? this.#struct(schema, value, { struct: '', fields: '', path: '' }) : undefined
    if (object === undefined && value !== null) throw new DecodeError(`json: cannot unmarshal ${describe(value)} into Go value of type ${schema.goType}`)
    if (this.#error !== undefined) throw new DecodeError(this.#error)
    return object ?? {}
  }

  #problem(kind: 'unknown' | 'duplicate', path: string): void {
    const text = `${kind} field ${JSON.stringify(path)}`
    if (this.#collect && this.problems.length < maxProblems && !this.problems.includes(text)) this.problems.push(text)
  }

  #wrong(value: Json, goType: string, place: Place): undefined {
    const target = place.struct === '' ? `Go value of type ${goType}` : `Go struct field ${place.struct}.${place.fields} of type ${goType}`
    this.#error ??= `json: cannot unmarshal ${describe(value, goType)} into ${target}`
  }

  #struct(schema: StructSchema, value: JsonObject, place: Place): JsonObject {
    const found: JsonObject = {}
    for (const [key, member] of Object.entries(value)) {
      const path = place.path === '' ? key : `${place.path}.${key}`
      const field = schema.fields.get(key)
      if (field === undefined) {
        if (schema.preserveUnknown) setOwn(found, key, member)
        else this.#problem('unknown', path)
        continue
      }
      if (member === null) continue
      const decoded = this.#type(field.type, member, { struct: schema.name, fields: place.fields === '' ? key : `${place.fields}.${key}`, path })
      if (decoded !== undefined && (field.always || field.pointer || !isEmpty(decoded, field.type))) found[key] = decoded
    }
    this.#reportDuplicates(value, place.path)
    // Lists that are always written are always there, as the wire types say: readers need not ask.
    for (const field of schema.fields.values()) if (field.always && !field.pointer && field.type.kind === 'list' && !Object.hasOwn(found, field.name)) found[field.name] = []
    return inOrder(schema.fields, found, schema.preserveUnknown === true)
  }

  #reportDuplicates(value: JsonObject, at: string): void {
    if (this.#duplicates.size === 0) return
    for (const key of Object.keys(value)) {
      const path = at === '' ? key : `${at}.${key}`
      if (this.#duplicates.has(path)) this.#problem('duplicate', path)
    }
  }

  #type(type: TypeSchema, value: Json, place: Place): Json | undefined {
    if (value === null) return zeroValue(type)
    switch (type.kind) {
      case 'struct':
        return isObject(value) ? this.#struct(type.struct, value, place) : this.#wrong(value, type.goType, place)
      case 'list':
        if (!Array.isArray(value)) return this.#wrong(value, type.goType, place)
        return value.map((item, i) => this.#type(type.item, item, { ...place, path: `${place.path}[${i}]` }) ?? zeroValue(type.item))
      case 'map': {
        if (!isObject(value)) return this.#wrong(value, type.goType, place)
        const out: JsonObject = {}
        for (const [key, member] of Object.entries(value)) setOwn(out, key, this.#type(type.value, member, { ...place, path: `${place.path}.${key}` }) ?? zeroValue(type.value))
        this.#reportDuplicates(value, place.path)
        return out
      }
      case 'any':
        return value
      case 'union':
        return this.#type(isObject(value) ? type.object : type.other, value, place)
      default:
        return this.#scalar(type, value, place)
    }
  }

  #scalar(type: ScalarSchema, value: Json, place: Place): Json | undefined {
    switch (type.kind) {
      case 'string':
        return typeof value === 'string' ? value : this.#wrong(value, type.goType, place)
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#wrong(value, type.goType, place)
      case 'int32':
        return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 0x7fffffff + (value < 0 ? 1 : 0) ? value : this.#wrong(value, type.goType, place)
      case 'int64':
        return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)) ? value : this.#wrong(value, type.goType, place)
      case 'float64':
        return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : this.#wrong(value, type.goType, place)
      case 'bytes':
        return typeof value === 'string' ? this.#attempt(() => canonicalBase64(value)) : this.#wrong(value, type.goType, place)
      case 'time':
      case 'microTime':
        return typeof value === 'string' ? this.#attempt(() => canonicalTime(value, type.kind === 'microTime')) : this.#plain(value, 'string')
      case 'duration':
        return typeof value === 'string' ? this.#attempt(() => canonicalDuration(value)) : this.#plain(value, 'string')
      case 'quantity':
        return this.#attempt(() => parseQuantity(typeof value === 'string' ? value.trim() : typeof value === 'object' ? JSON.stringify(value) : String(value)).toString())
      case 'intOrString':
        if (typeof value === 'string') return value
        return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 0x7fffffff ? value : this.#plain(value, 'int32')
    }
  }

  /** Types that unmarshal themselves lose the place in upstream's message. */
  #plain(value: Json, goType: string): undefined {
    this.#error ??= `json: cannot unmarshal ${describe(value, goType)} into Go value of type ${goType}`
  }

  #attempt(make: () => Json | undefined): Json | undefined {
    try {
      return make()
    } catch (error) {
      this.#error ??= error instanceof Error ? error.message : String(error)
      return undefined
    }
  }
}

/** Go's word for a JSON value; a number that was meant for an integer is named. */
function describe(value: Json, goType = ''): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'object') return 'object'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return /^(u?int\d*)$/.test(goType) ? `number ${value}` : 'number'
}

function inOrder(fields: ReadonlyMap<string, FieldSchema>, found: JsonObject, keepOthers: boolean): JsonObject {
  const out: JsonObject = {}
  for (const name of fields.keys()) {
    const value = found[name]
    if (value !== undefined && Object.hasOwn(found, name)) out[name] = value
  }
  if (keepOthers) for (const [key, value] of Object.entries(found)) if (!fields.has(key)) setOwn(out, key, value)
  return out
}
