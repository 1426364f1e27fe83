import { isEmptyObject, isObject } from '../decode/values.ts'
import { equal } from '../json/values.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import { FieldSet } from './field-set.ts'
import { type PathElement, fieldElement } from './path-element.ts'
import { type Shape, type Typed, itemElement, shapeOf } from './shape.ts'

/** What changed between two objects. A field that is null is there; one that is absent is not. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/**
 * Compares two objects of a type field by field.
 * @throws Error where an item of a keyed list has no key
 */
export function compare(type: Typed, before: Json, after: Json): Comparison {
  const walker = new Walker()
  walker.compare(type, before, after)
  return walker
}

class Walker implements Comparison {
  readonly added = new FieldSet()
  readonly modified = new FieldSet()
  readonly removed = new FieldSet()
  /** Where the walk is; copied only by what is inserted. */
  readonly #path: PathElement[] = []

  compare(type: Typed, before: Json | undefined, after: Json | undefined): void {
    const was = before === undefined ? undefined : shapeOf(type, before)
    const is = after === undefined ? undefined : shapeOf(type, after)
    const shape = is ?? was
    if (shape === undefined) return
    // Where any JSON is allowed, the two sides may be of different shapes: then both are walked.
    if (was !== undefined && is !== undefined && before !== null && after !== null && (was.kind !== is.kind)) {
      this.#walk(was, before, undefined)
      this.#walk(is, undefined, after)
      return
    }
    const isLeaf = this.#walk(before === null || was === undefined ? shape : was.kind === shape.kind ? shape : was, before, after)
    if (isLeaf) return
    if (before === undefined) this.added.insert(this.#path)
    else if (after === undefined) this.removed.insert(this.#path)
  }

  /** True where the place was dealt with as one value. */
  #walk(shape: Shape, before: Json | undefined, after: Json | undefined): boolean {
    if (shape.kind === 'scalar' || shape.atomic) return this.#leaf(before, after)
    if (shape.kind === 'list') {
      const was = Array.isArray(before) ? before : []
      const is = Array.isArray(after) ? after : []
      if (was.length === 0 && is.length === 0) return this.#leaf(before, after)
      this.#list(shape, was, is)
      return false
    }
    const was = isObject(before) ? before : {}
    const is = isObject(after) ? after : {}
    if (isEmptyObject(was) && isEmptyObject(is)) return this.#leaf(before, after)
    this.#map(shape, was, is)
    return false
  }

  #leaf(before: Json | undefined, after: Json | undefined): true {
    if (before === undefined) this.added.insert(this.#path)
    else if (after === undefined) this.removed.insert(this.#path)
    else if (!equal(before, after)) this.modified.insert(this.#path)
    return true
  }

  #map(shape: Extract<Shape, { kind: 'map' }>, before: JsonObject, after: JsonObject): void {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const type = shape.field(key) ?? shape.element
      if (type === undefined) continue
      this.#at(fieldElement(key), type, Object.hasOwn(before, key) ? before[key] : undefined, Object.hasOwn(after, key) ? after[key] : undefined)
    }
  }

  #list(shape: Extract<Shape, { kind: 'list' }>, before: Json[], after: Json[]): void {
    const was = byElement(shape, before)
    const is = byElement(shape, after)
    for (const element of new Set([...was.keys(), ...is.keys()])) {
      const old = was.get(element) ?? []
      const now = is.get(element) ?? []
      if (old.length <= 1 && now.length <= 1) {
        this.#at(element, shape.item, old[0], now[0])
      } else if (old.length >= 2 && now.length >= 2) {
        if (!equal(old, now)) this.modified.insert([...this.#path, element])
      } else if (old.length >= 2) {
        // Items that could not be told apart were one value; now a single item is there, field by field.
        if (now.length > 0) this.#at(element, shape.item, undefined, now[0])
        this.removed.insert([...this.#path, element])
      } else {
        if (old.length > 0) this.#at(element, shape.item, old[0], undefined)
        this.added.insert([...this.#path, element])
      }
    }
  }

  #at(element: PathElement, type: Typed, before: Json | undefined, after: Json | undefined): void {
    this.#path.push(element)
    this.compare(type, before, after)
    this.#path.pop()
  }
}

function byElement(shape: Extract<Shape, { kind: 'list' }>, list: Json[]): Map<PathElement, Json[]> {
  const out = new Map<PathElement, Json[]>()
  for (const item of list) {
    const element = itemElement(shape, item)
    const known = out.get(element)
    if (known) known.push(item)
    else out.set(element, [item])
  }
  return out
}
