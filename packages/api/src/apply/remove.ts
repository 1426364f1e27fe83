import { isEmptyObject, isObject } from '../decode/values.ts'
import { setOwn } from '../json/parse.ts'
import type { Json, JsonObject, TypeSchema } from '../schema/model.ts'
import { FieldSet } from './field-set.ts'
import { fieldElement } from './path-element.ts'
import { type Typed, itemElement, shapeOf } from './shape.ts'

/** The value without the fields and items of a set. Where nothing is left of a list or map it is null; atomic values that the set reaches into go whole. */
export function removeItems(type: Typed, value: Json, remove: FieldSet): Json {
  const shape = shapeOf(type, value)
  if (shape.kind === 'scalar') return value
  if (shape.kind === 'list') {
    if (!Array.isArray(value) || value.length === 0 || shape.atomic) return null
    const out: Json[] = []
    for (const item of value) {
      const element = itemElement(shape, item)
      if (remove.members.has(element)) continue
      const below = remove.children.get(element)
      out.push(below ? removeItems(shape.item, item, below) : item)
    }
    return out.length > 0 ? out : null
  }
  if (!isObject(value) || isEmptyObject(value) || shape.atomic) return null
  const out: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    const element = fieldElement(key)
    if (remove.members.has(element)) continue
    const below = remove.children.get(element)
    const inner = shape.field(key) ?? shape.element
    setOwn(out, key, below && inner ? removeItems(inner, member, below) : member)
  }
  return isEmptyObject(out) ? null : out
}

/** The set together with the declared fields that lead to its paths, so that a struct whose fields go can go too. */
export function withNamedFields(type: Typed | undefined, set: FieldSet): FieldSet {
  const shape = type === undefined ? undefined : shapeOf(type, null)
  const out = new FieldSet()
  for (const member of set.members) out.members.add(member)
  for (const [element, child] of set.children) {
    let inner: TypeSchema | undefined
    if (element.startsWith('f:') && shape?.kind === 'map') {
      const declared = shape.field(element.slice(2))
      if (declared) out.members.add(element)
      inner = declared ?? shape.element
    } else if (element.startsWith('k:') && shape?.kind === 'list') {
      inner = shape.item
    }
    out.children.set(element, withNamedFields(inner, child))
  }
  return out
}
