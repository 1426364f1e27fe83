import { setOwn } from '../json/parse.ts'
import type { Json, JsonObject, ObjectSchema, StructSchema, TypeSchema } from '../schema/model.ts'
import { isEmpty, isObject } from './values.ts'
import { isWrittenWhenZero, zeroValue } from './zero.ts'

/**
 * Gives an object the exact shape in which a stock API server writes it: Go's field order, zero values that Go writes (`status: {}`, `resources: {}`,
 * `lastTransitionTime: null`, `containers: null`) put in, empty ones that it leaves out (`omitempty`) taken out. Unknown fields fall away.
 * An empty list that is always written becomes none, as in upstream's storage, unless it is to be `asSent`.
 * The given object is not changed; parts that are already in shape may be shared with the result.
 */
export function normalize<T>(schema: ObjectSchema | StructSchema, object: T, asSent = false): T {
  return normalizeStruct(schema, object as JsonObject, asSent) as T
}

export function normalizeStruct(schema: StructSchema, object: JsonObject, asSent = false): JsonObject {
  const out: JsonObject = {}
  for (const field of schema.fields.values()) {
    const given = Object.hasOwn(object, field.name) ? object[field.name] : undefined
    if (given === undefined || given === null) {
      if (isWrittenWhenZero(field)) out[field.name] = field.pointer ? null : zeroValue(field.type)
      continue
    }
    const value = normalizeValue(field.type, given, asSent)
    if (!field.always && !field.pointer && isEmpty(value, field.type)) continue
    out[field.name] = !asSent && Array.isArray(value) && value.length === 0 && !schema.preserveUnknown ? null : value
  }
  if (schema.preserveUnknown) for (const [key, value] of Object.entries(object)) if (!schema.fields.has(key)) setOwn(out, key, value)
  return out
}

function normalizeValue(type: TypeSchema, value: Json, asSent: boolean): Json {
  switch (type.kind) {
    case 'struct':
      return isObject(value) ? normalizeStruct(type.struct, value, asSent) : value
    case 'list':
      return Array.isArray(value) && !isPlain(type.item) ? value.map((item) => (item === null ? zeroValue(type.item) : normalizeValue(type.item, item, asSent))) : value
    case 'map': {
      if (!isObject(value) || isPlain(type.value)) return value
      const out: JsonObject = {}
      for (const [key, member] of Object.entries(value)) setOwn(out, key, member === null ? zeroValue(type.value) : normalizeValue(type.value, member, asSent))
      return out
    }
    case 'union':
      return normalizeValue(isObject(value) ? type.object : type.other, value, asSent)
    default:
      return value
  }
}

/** Scalars need no walk. */
function isPlain(type: TypeSchema): boolean {
  return type.kind !== 'struct' && type.kind !== 'list' && type.kind !== 'map' && type.kind !== 'union'
}
