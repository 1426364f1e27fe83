import { isObject } from '../decode/values.ts'
import { setOwn } from '../json/parse.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import type { Structural } from './structural.ts'

/**
 * Fills in a schema's defaults, in place (upstream: apiserver/schema/defaulting): where a property is missing, and where it is null though
 * it may not be. What a default brings is defaulted itself.
 */
export function applySchemaDefaults(schema: Structural, value: Json): void {
  if (Array.isArray(value)) {
    const { items } = schema
    if (items) for (const item of value) applySchemaDefaults(items, item)
    return
  }
  if (!isObject(value)) return
  for (const [name, property] of schema.properties) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined
    if (property.default !== undefined && (given === undefined || (given === null && !property.nullable))) setOwn(value, name, structuredClone(property.default))
    // "Nulls for fields that are not nullable are pruned before defaulting happens."
    else if (given === null && !property.nullable && property.type !== '') delete value[name]
    const now = value[name]
    if (now !== undefined) applySchemaDefaults(property, now)
  }
  if (isObject(schema.additional as Json) && schema.additional !== true) applyToAdditional(schema, value)
}

function applyToAdditional(schema: Structural, value: JsonObject): void {
  const additional = schema.additional as Structural
  for (const [name, member] of Object.entries(value)) {
    if (schema.properties.has(name)) continue
    if (member === null && additional.default !== undefined && !additional.nullable) setOwn(value, name, structuredClone(additional.default))
    else applySchemaDefaults(additional, member)
  }
}
