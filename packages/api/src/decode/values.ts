import type { Json, JsonObject, TypeSchema } from '../schema/model.ts'

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What Go's `omitempty` leaves out: structs never count as empty. */
export function isEmpty(value: Json, type: TypeSchema): boolean {
  if (type.kind === 'map') return isObject(value) && isEmptyObject(value)
  return value === '' || value === 0 || value === false || (Array.isArray(value) && value.length === 0)
}

export function isEmptyObject(value: JsonObject): boolean {
  for (const _ in value) return false
  return true
}
