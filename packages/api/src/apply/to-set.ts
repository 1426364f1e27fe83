import { isEmptyObject, isObject } from '../decode/values.ts'
import type { Json } from '../schema/model.ts'
import { FieldSet } from './field-set.ts'
import { fieldElement } from './path-element.ts'
import { type Shape, type Typed, itemElement, shapeOf } from './shape.ts'

/** The fields that an applied configuration sets: scalars, atomic values, items of lists and maps; a struct itself only where it is empty. */
export function toFieldSet(type: Typed, value: Json): FieldSet {
  const set = new FieldSet()
  fill(set, type, value)
  return set
}

/** Puts what lies below a place into its set. True where the place itself is one value and belongs to the set above. */
function fill(set: FieldSet, type: Typed, value: Json): boolean {
  const shape = shapeOf(type, value)
  if (shape.kind === 'scalar' || shape.atomic) return true
  if (shape.kind === 'list') {
    if (Array.isArray(value)) fillList(set, shape, value)
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      const declared = shape.field(key)
      const inner = declared ?? shape.element
      if (inner === undefined) continue
      const element = fieldElement(key)
      const isLeaf = descend(set, element, inner, member)
      if (isLeaf || declared === undefined || member === null || (isObject(member) && isEmptyObject(member))) set.members.add(element)
    }
  }
  return false
}

function fillList(set: FieldSet, shape: Extract<Shape, { kind: 'list' }>, list: Json[]): void {
  const seen = new Map<string, number>()
  const elements = list.map((item) => itemElement(shape, item))
  for (const element of elements) seen.set(element, (seen.get(element) ?? 0) + 1)
  for (const [i, element] of elements.entries()) {
    set.members.add(element)
    // Items that cannot be told apart are one value.
    if (seen.get(element) === 1) descend(set, element, shape.item, list[i] ?? null)
  }
}

function descend(set: FieldSet, element: string, type: Typed, value: Json): boolean {
  const below = new FieldSet()
  const isLeaf = fill(below, type, value)
  if (!below.empty) set.children.set(element, below)
  return isLeaf
}
