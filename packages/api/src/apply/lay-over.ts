import { normalize } from '../decode/normalize.ts'
import { isObject } from '../decode/values.ts'
import type { Json, JsonObject, ObjectSchema } from '../schema/model.ts'
import { mergeTyped } from './merge.ts'
import { fieldElement, printElement } from './path-element.ts'
import { type Typed, shapeOf } from './shape.ts'
import { validateTyped } from './validate.ts'

/**
 * Lays a configuration over an object as a mutating admission policy does: merged as in server-side apply, while nobody comes to own anything and
 * nothing is taken away. The configuration counts as of the object's own apiVersion and kind.
 * @returns the merged object, neither decoded nor defaulted; the arguments are not changed
 * @throws Error in upstream's words, where the configuration does not fit the schema, or would replace a list, map or struct as a whole
 */
export function layOver(schema: ObjectSchema, live: unknown, configuration: unknown): JsonObject {
  if (!isObject(live) || !isObject(configuration)) throw new Error('an object and a configuration of it are needed')
  const { apiVersion = null, kind = null } = live
  const patch: JsonObject = { ...configuration, apiVersion, kind }
  const problem = validateTyped(schema, patch)
  if (problem !== undefined) throw new Error(`failed to convert patch object to typed object: ${problem}`)
  const whole = replacedAsWhole(schema, patch, '')
  if (whole.length > 0) throw new Error(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${whole.join(', ')}`)
  try {
    return mergeTyped(schema, normalize(schema, live), patch) as JsonObject
  } catch (error) {
    throw new Error(`failed to merge patch: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Where a value has what is owned as one: whoever names a part of it would lose the others. */
function replacedAsWhole(type: Typed, value: Json, path: string): string[] {
  const shape = shapeOf(type, value)
  if (shape.kind === 'map' && isObject(value)) {
    const parts = Object.entries(value).flatMap(([name, part]) => {
      const field = shape.field(name)
      return field === undefined ? [] : replacedAsWhole(field, part, path + printElement(fieldElement(name)))
    })
    return shape.atomic ? [path, ...parts] : parts
  }
  if (shape.kind === 'list' && Array.isArray(value)) {
    const items = value.flatMap((item, i) => replacedAsWhole(shape.item, item, `${path}[${i}]`))
    return shape.atomic ? [path, ...items] : items
  }
  return []
}
