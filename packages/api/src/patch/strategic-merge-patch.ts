import { isObject } from '../decode/values.ts'
import { setOwn } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import type { Json, JsonObject, ObjectSchema, StructSchema, TypeSchema } from '../schema/model.ts'
import { PatchError, unprocessable } from './errors.ts'
import { type KeyOf, arrange, placesOf } from './list-order.ts'
import { clone, goFormat, goType } from '../json/values.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const deletePrefix = '$deleteFromPrimitiveList'
const orderPrefix = '$setElementOrder'

/** What a strategic merge needs to know of a place: the struct or map there, or nothing. */
type Shape = StructSchema | TypeSchema | undefined
interface FieldShape { shape: Shape; strategy: string; mergeKey: string }

/**
 * Applies a strategic merge patch: lists are merged by the merge keys of the schema, with the directives `$patch`, `$retainKeys`,
 * `$setElementOrder/field` and `$deleteFromPrimitiveList/field`. Neither document nor patch is changed.
 * @throws PatchError 400 for a malformed directive, 422 for lists of lists, 500 for the rest (as upstream answers)
 */
export function strategicMergePatch(schema: ObjectSchema | StructSchema, doc: unknown, patch: unknown): JsonObject {
  if (!isObject(patch)) throw new PatchError(400, `json: cannot unmarshal ${Array.isArray(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`)
  return mergeMap(isObject(doc) ? clone(doc) : {}, clone(patch), schema)
}

const badOrder = (): PatchError => new PatchError(400, 'invalid patch format of setElementOrder list')
const badRetainKeys = (): PatchError => new PatchError(400, 'invalid patch format of retainKeys')
const noMergeKey = (item: Json, key: string): PatchError => new PatchError(500, `map: ${goFormat(item)} does not contain declared merge key: ${key}`)
const badType = (expected: string, got: Json | undefined): PatchError => new PatchError(500, `expected a ${expected}, but received a ${goType(got)}`)

function fieldShape(shape: Shape, key: string): FieldShape {
  const struct = shape !== undefined && 'fields' in shape ? shape : shape?.kind === 'struct' ? shape.struct : undefined
  if (struct) {
    const field = struct.fields.get(key)
    if (field === undefined) {
      if (struct.preserveUnknown) return { shape: undefined, strategy: '', mergeKey: '' }
      throw new PatchError(500, `unable to find api field in struct ${struct.name} for the json field ${JSON.stringify(key)}`)
    }
    return { shape: field.type, strategy: field.patchStrategy.find((s) => s !== 'retainKeys') ?? '', mergeKey: field.patchMergeKey ?? '' }
  }
  return { shape: shape !== undefined && 'kind' in shape && shape.kind === 'map' ? shape.value : undefined, strategy: '', mergeKey: '' }
}

function mergeMap(original: JsonObject, patch: JsonObject, shape: Shape): JsonObject {
  const whole = Object.hasOwn(patch, directive) ? patch[directive] : undefined
  if (whole !== undefined) {
    delete patch[directive]
    if (whole === 'replace') return patch
    if (whole === 'delete') return {}
    throw new PatchError(500, `unknown patch type: ${goFormat(whole)} in map: ${goFormat({ ...patch, [directive]: whole })}`)
  }
  applyRetainKeys(original, patch)
  applyElementOrders(original, patch, shape)
  for (const [patchKey, change] of Object.entries(patch)) {
    const deletes = patchKey.startsWith(deletePrefix)
    const key = deletes ? keyAfter(patchKey, deletePrefix) : patchKey
    if (change === null) {
      delete original[key]
      continue
    }
    const before = Object.hasOwn(original, key) ? original[key] : undefined
    if (before === undefined) {
      const kept = deletes ? undefined : withoutDirectives(change)
      if (kept !== undefined) setOwn(original, key, kept)
    } else {
      setOwn(original, key, mergeValue(before, change, shape, key, deletes))
    }
  }
  return original
}

function mergeValue(before: Json, change: Json, shape: Shape, key: string, deletes: boolean): Json {
  if (isObject(before) && isObject(change)) {
    const field = fieldShape(shape, key)
    return field.strategy === 'replace' ? change : mergeMap(before, change, field.shape)
  }
  if (Array.isArray(before) && Array.isArray(change)) {
    const field = fieldShape(shape, key)
    return field.strategy === 'merge' ? mergeList(before, change, itemShape(field.shape), field.mergeKey, deletes) : change
  }
  return change
}

function itemShape(shape: Shape): Shape {
  return shape !== undefined && 'kind' in shape && shape.kind === 'list' ? shape.item : undefined
}

/** `$retainKeys` clears every field it does not name; the patch may set only those it names. */
function applyRetainKeys(original: JsonObject, patch: JsonObject): void {
  const keys = Object.hasOwn(patch, retainKeys) ? patch[retainKeys] : undefined
  if (keys === undefined) return
  delete patch[retainKeys]
  if (!Array.isArray(keys)) throw badRetainKeys()
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue
    if (!keys.includes(key)) throw badRetainKeys()
  }
  for (const key of Object.keys(original)) if (!keys.includes(key)) delete original[key]
}

/** `$setElementOrder/field` lists the order of the merged list; the list itself may or may not be in the patch. */
function applyElementOrders(original: JsonObject, patch: JsonObject, shape: Shape): void {
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(orderPrefix)) continue
    delete patch[key]
    if (!Array.isArray(order)) throw badType('[]interface {}', order)
    const name = keyAfter(key, orderPrefix)
    const before = listIn(original, name)
    const change = listIn(patch, name)
    const field = fieldShape(shape, name)
    if (change) checkOrder(change, order, field.mergeKey)
    if (!before && !change) continue
    const merged = !change ? before ?? [] : !before ? asList(withoutDirectives(change)) : field.strategy === 'merge' ? mergeList(before, change, itemShape(field.shape), field.mergeKey, false) : change
    if (merged.length > 0) checkItems(merged, field.mergeKey)
    setOwn(original, name, arrange(merged, order, before ?? [], keyBy(field.mergeKey)))
    delete patch[name]
  }
}

function listIn(object: JsonObject, key: string): Json[] | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined
  if (value === undefined || Array.isArray(value)) return value
  throw badType('[]interface {}', value)
}

function asList(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

/** The items that a patch sets must stand in the order list, in the same order. */
function checkOrder(change: Json[], order: Json[], mergeKey: string): void {
  if (order.length === 0 || change.length === 0) return
  const set = change.filter((item) => !(isObject(item) && Object.hasOwn(item, directive)))
  const keyOf = keyBy(mergeKey)
  let next = 0
  for (const item of order) if (next < set.length && keyOf(set[next] ?? null) === keyOf(item)) next++
  if (next < set.length) throw new PatchError(500, `The order in patch list:\n${goFormat(change)}\n doesn't match ${orderPrefix} list:\n${goFormat(order)}\n`)
}

function mergeList(original: Json[], change: Json[], shape: Shape, mergeKey: string, deletes: boolean): Json[] {
  if (original.length === 0 && change.length === 0) return original
  checkTypes([...original, ...change], [original, change])
  if (!isObject(original[0] ?? change[0])) {
    const keyOf = keyBy('')
    const changed = placesOf(change, keyOf)
    if (deletes) return original.filter((v) => !changed.has(keyOf(v) ?? ''))
    const merged = new Map([...original, ...change].map((v) => [keyOf(v), v]))
    return arrange([...merged.values()], change, original, keyOf)
  }
  if (mergeKey === '') throw new PatchError(500, 'cannot merge lists without merge key for type map')
  const keyOf = keyBy(mergeKey)
  const deleted = new Set<string | undefined>()
  let replace = false
  const set: JsonObject[] = []
  for (const item of change as JsonObject[]) {
    const what = Object.hasOwn(item, directive) ? item[directive] : undefined
    if (what === undefined) set.push(item)
    else if (what === 'replace') replace = true
    else if (what === 'delete') {
      if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
      deleted.add(keyOf(item))
    } else if (what === 'merge') throw new PatchError(500, 'merging lists cannot yet be specified in the patch')
    else throw new PatchError(500, `unknown patch type: ${goFormat(what)} in map: ${goFormat(item)}`)
  }
  if (replace) return set
  const kept = original.filter((item) => !deleted.has(keyOf(item) ?? ''))
  const merged = [...kept]
  const places = placesOf(merged, keyOf)
  for (const item of set) {
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
    const key = keyOf(item) ?? ''
    const at = places.get(key)
    const found = at === undefined ? undefined : merged[at]
    if (at !== undefined && isObject(found)) merged[at] = mergeMap(found, item, shape)
    else places.set(key, merged.push(item) - 1)
  }
  checkItems(merged, mergeKey)
  return arrange(merged, set, kept, keyOf)
}

function keyBy(mergeKey: string): KeyOf {
  if (mergeKey === '') return (item) => stringifyJson(item)
  return (item) => (isObject(item) && Object.hasOwn(item, mergeKey) ? stringifyJson(item[mergeKey]) : undefined)
}

function checkItems(items: Json[], mergeKey: string): void {
  if (mergeKey === '') return
  for (const item of items) {
    if (!isObject(item)) throw badType('map[string]interface {}', item)
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
  }
}

function checkTypes(items: Json[], slices: Json[][]): void {
  const first = goType(items[0])
  if (first === '[]interface {}') throw unprocessable('lists of lists are not supported')
  if (items.some((v) => goType(v) !== first)) throw new PatchError(500, `list element types are not identical: ${goFormat(slices)}`)
}

function keyAfter(key: string, prefix: string): string {
  if (key.startsWith(`${prefix}/`)) return key.slice(prefix.length + 1)
  throw prefix === orderPrefix ? badOrder() : new PatchError(400, 'invalid patch format of primitive list')
}

/** A value that is new to the document: without nulls and directives. An object with a `$patch` of its own falls away (undefined). */
function withoutDirectives(value: Json): Json | undefined {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((v) => v !== undefined)
  if (!isObject(value)) return value
  if (Object.hasOwn(value, directive)) return undefined
  const out: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    const kept = member === null || key === retainKeys || key.startsWith(`${orderPrefix}/`) || key.startsWith(`${deletePrefix}/`) ? undefined : withoutDirectives(member)
    if (kept !== undefined) setOwn(out, key, kept)
  }
  return out
}
