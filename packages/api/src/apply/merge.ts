import { isEmptyObject, isObject } from '../decode/values.ts'
import { setOwn } from '../json/parse.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import type { PathElement } from './path-element.ts'
import { type Shape, type Typed, itemElement, shapeOf } from './shape.ts'

/**
 * Lays an applied configuration over an object: its scalars and atomic values win, lists and maps are merged item by item, in an order that keeps both lists' own
 * as far as it can. An undefined result means that nothing is left.
 * @throws Error where an item of a keyed list has no key
 */
export function mergeTyped(type: Typed, live: Json | undefined, applied: Json | undefined): Json | undefined {
  if (applied === undefined) return live
  const shape = shapeOf(type, applied === null ? live : applied)
  if (live === undefined && applied !== null) {
    // New parts are taken as they are, except that lists and maps which say nothing stay leaves.
    return applied
  }
  if (shape.kind === 'scalar' || shape.atomic) return applied
  if (shape.kind === 'list') {
    const was = Array.isArray(live) ? live : []
    const is = Array.isArray(applied) ? applied : []
    return was.length === 0 && is.length === 0 ? applied : mergeList(shape, was, is)
  }
  const was = isObject(live) ? live : {}
  const is = isObject(applied) ? applied : {}
  return isEmptyObject(was) && isEmptyObject(is) ? applied : mergeMap(shape, was, is)
}

function mergeMap(shape: Extract<Shape, { kind: 'map' }>, live: JsonObject, applied: JsonObject): JsonObject {
  const out: JsonObject = {}
  for (const key of new Set([...Object.keys(live), ...Object.keys(applied)])) {
    const type = shape.field(key) ?? shape.element
    const was = Object.hasOwn(live, key) ? live[key] : undefined
    const is = Object.hasOwn(applied, key) ? applied[key] : undefined
    const merged = type === undefined ? is ?? was : mergeTyped(type, was, is)
    if (merged !== undefined) setOwn(out, key, merged)
  }
  return out
}

/** Both lists are walked together; where their orders disagree the applied one's counts for the items that both have. */
function mergeList(shape: Extract<Shape, { kind: 'list' }>, live: Json[], applied: Json[]): Json[] {
  const left = live.map((item) => itemElement(shape, item))
  const right = applied.map((item) => itemElement(shape, item))
  const single = new Map<PathElement, Json | undefined>()
  for (const [i, element] of left.entries()) single.set(element, single.has(element) ? undefined : live[i])
  const inRight = new Map(right.map((element, i) => [element, applied[i]]))
  const shared = right.filter((element) => single.has(element))
  const done = new Set<PathElement>()
  const out: Json[] = []
  const take = (element: PathElement): void => {
    done.add(element)
    const merged = mergeTyped(shape.item, single.get(element), inRight.get(element))
    if (merged !== undefined) out.push(merged)
  }
  let s = 0
  let nextShared = shared[s++]
  for (let l = 0, r = 0; l < left.length || r < right.length;) {
    const ours = left[l]
    const theirs = right[r]
    if (ours !== undefined && theirs !== undefined) {
      if (ours === theirs) {
        take(ours)
        l++
        r++
        nextShared = shared[s++]
        continue
      }
      if (inRight.has(ours) && nextShared !== undefined && nextShared !== ours) {
        // Both have it, but the applied list wants another one first.
        l++
        continue
      }
    }
    if (ours !== undefined) {
      if (!inRight.has(ours)) {
        out.push(live[l] ?? null)
        l++
        continue
      }
      if (done.has(ours)) l++
    }
    if (theirs !== undefined) {
      take(theirs)
      r++
      if (nextShared === theirs) nextShared = shared[s++]
    }
  }
  return out
}
