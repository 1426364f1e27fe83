import { setOwn } from '../json/parse.ts'
import { isObject } from '../decode/values.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import type { Structural } from './structural.ts'

const typeMeta = new Set(['apiVersion', 'kind', 'metadata'])

/**
 * A copy of the value without the fields that the schema does not specify (upstream: apiserver/schema/pruning). Values of a
 * wrong type are left as they are: validation says what is wrong with them.
 * @param report is told the path of each field that goes
 */
export function prune(schema: Structural, value: Json, report: (path: string) => void): Json {
  return pruneValue(schema, value, '', true, report)
}

function pruneValue(schema: Structural, value: Json, path: string, isRoot: boolean, report: (path: string) => void): Json {
  if (Array.isArray(value)) {
    const { items } = schema
    if (!items) return schema.preserveUnknown || schema.type === '' ? value : value
    return value.map((item, i) => pruneValue(items, item, `${path}[${i}]`, false, report))
  }
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    const known = schema.properties.get(key)
    if (isTypeMeta(schema, key, isRoot)) setOwn(out, key, member)
    else if (known) setOwn(out, key, pruneValue(known, member, at, false, report))
    else if (schema.additional === true) setOwn(out, key, member)
    else if (schema.additional) setOwn(out, key, pruneValue(schema.additional, member, at, false, report))
    else if (schema.preserveUnknown) setOwn(out, key, member)
    else report(at)
  }
  return out
}

/** Every object, and every embedded one, has these without its schema's saying so. */
function isTypeMeta(schema: Structural, key: string, isRoot: boolean): boolean {
  return (isRoot || schema.embeddedResource) && typeMeta.has(key)
}
