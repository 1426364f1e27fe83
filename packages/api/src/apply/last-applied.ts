/** kubectl's annotation of client-side apply, which server-side apply by kubectl takes over and keeps up to date. */
import { isObject } from '../decode/values.ts'
import { parseJson, setOwn } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import type { Json, JsonObject, ObjectSchema } from '../schema/model.ts'
import { compare } from './compare.ts'
import { FieldSet } from './field-set.ts'
import { toFieldSet } from './to-set.ts'
import { validateTyped } from './validate.ts'

const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
/** Beyond this the annotation is dropped, as all annotations together may not be larger. */
const maxAnnotationBytes = 256 * 1024

function annotationsOf(object: JsonObject | undefined): JsonObject | undefined {
  const metadata = object?.['metadata']
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined
  return isObject(annotations) ? annotations : undefined
}

/**
 * The fields that kubectl last applied from its side and that are still as it applied them: server-side apply by kubectl may take these from their owner.
 * Empty where there is no annotation, or none that can be used.
 */
export function allowedByLastApplied(schema: ObjectSchema, live: JsonObject, apiVersion: string): FieldSet {
  const text = annotationsOf(live)?.[annotation]
  if (typeof text !== 'string' || text === '') return new FieldSet()
  try {
    const last = parseJson(text).value
    if (!isObject(last) || last['apiVersion'] !== apiVersion || validateTyped(schema, last) !== undefined) return new FieldSet()
    const { added, modified, removed } = compare(schema, last, live)
    return toFieldSet(schema, last).difference(modified).difference(added).difference(removed)
  } catch {
    return new FieldSet()
  }
}

/** Brings the annotation up to date where the object has one. */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  const annotations = annotationsOf(object)
  if (annotations === undefined || !Object.hasOwn(annotations, annotation)) return object
  const metadata = isObject(applied['metadata']) ? { ...applied['metadata'] } : {}
  const own = annotationsOf(applied)
  if (own) {
    const { [annotation]: _, ...others } = own
    metadata['annotations'] = others
  }
  const text = `${stringifyJson(sorted({ ...applied, metadata }))}\n`
  const { [annotation]: _, ...others } = annotations
  const kept: JsonObject = Buffer.byteLength(text) > maxAnnotationBytes ? others : { ...annotations, [annotation]: text }
  return { ...object, metadata: { ...(isObject(object['metadata']) ? object['metadata'] : {}), annotations: kept } }
}

/** Members in order, as upstream writes maps. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const key of Object.keys(value).sort()) setOwn(out, key, sorted(value[key] ?? null))
  return out
}
