/** How server-side apply sees a value: a scalar, a list or a map, owned as one value or part by part. */
import { isObject } from '../decode/values.ts'
import type { Json, JsonObject, StructSchema, TypeSchema } from '../schema/model.ts'
import { zeroValue } from '../decode/zero.ts'
import { type PathElement, keyElement, printElement, valueElement } from './path-element.ts'

/** A declared type, or the struct of a whole object. */
export type Typed = TypeSchema | StructSchema

export type Shape =
  | { readonly kind: 'scalar'; readonly scalar: 'string' | 'numeric' | 'boolean' | 'untyped' }
  | { readonly kind: 'list'; readonly atomic: boolean; readonly item: TypeSchema; readonly keys: readonly string[] }
  | { readonly kind: 'map'; readonly atomic: boolean; readonly field: (name: string) => TypeSchema | undefined; readonly element: TypeSchema | undefined }

const deduced: TypeSchema = { kind: 'any', goType: 'interface {}', objectOnly: false, atomic: false }
const untyped: Shape = { kind: 'scalar', scalar: 'untyped' }
const noField = (): undefined => undefined

function shapeOfStruct(struct: StructSchema, atomic: boolean): Shape {
  return { kind: 'map', atomic, field: (name) => struct.fields.get(name)?.type, element: struct.preserveUnknown ? deduced : undefined }
}

/** The shape of a type; what the type leaves open (any JSON) is deduced from the value. */
export function shapeOf(type: Typed, value: Json | undefined): Shape {
  if ('fields' in type) return shapeOfStruct(type, type.atomic)
  switch (type.kind) {
    case 'struct': return shapeOfStruct(type.struct, type.atomic)
    case 'map': return { kind: 'map', atomic: type.atomic, field: noField, element: type.value }
    case 'list': return { kind: 'list', atomic: type.listType === 'atomic', item: type.item, keys: type.keys }
    case 'any':
      if (type.atomic) return untyped
      return Array.isArray(value) ? { kind: 'list', atomic: true, item: deduced, keys: [] } : isObject(value) ? { kind: 'map', atomic: false, field: noField, element: deduced } : untyped
    case 'union': return shapeOf(deduced, value)
    case 'string': return { kind: 'scalar', scalar: 'string' }
    case 'boolean': return { kind: 'scalar', scalar: 'boolean' }
    case 'int32':
    case 'int64':
    case 'float64': return { kind: 'scalar', scalar: 'numeric' }
    default: return untyped
  }
}

/**
 * The element that names an item of a list that is not atomic.
 * @throws Error as upstream words it, where the item has no name
 */
export function itemElement(list: { readonly item: TypeSchema; readonly keys: readonly string[] }, item: Json): PathElement {
  if (list.keys.length === 0) {
    if (isObject(item)) throw new Error("associative list without keys has an element that's a map type")
    if (Array.isArray(item)) throw new Error('not supported: associative list with lists as elements')
    if (item === null) throw new Error("associative list without keys has an element that's an explicit null")
    return valueElement(item)
  }
  if (item === null) throw new Error('associative list with keys may not have a null element')
  if (!isObject(item)) throw new Error('associative list with keys may not have non-map elements')
  const keys: JsonObject = {}
  for (const name of list.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : keyDefault(list.item, name)
    if (value === undefined) throw new Error(`associative list with keys has an element that omits key field ${JSON.stringify(name)} (and doesn't have default value)`)
    keys[name] = value
  }
  return keyElement(keys)
}

/** What stands for a key field that is left out: its declared default, or the zero value of a field that is always written. */
function keyDefault(item: TypeSchema, name: string): Json | undefined {
  const field = item.kind === 'struct' ? item.struct.fields.get(name) : undefined
  if (!field) return undefined
  return field.default ?? (field.always && !field.pointer ? zeroValue(field.type) : undefined)
}

export function duplicateMessage(element: PathElement): string {
  return `duplicate entries for key ${printElement(element)}`
}
