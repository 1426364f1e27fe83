import { isObject } from '../decode/values.ts'
import { setOwn } from '../json/parse.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import { PatchError } from './errors.ts'

/**
 * Applies a JSON merge patch (RFC 7386). The document is not changed; what the patch does not touch is shared with the result.
 * Members of an object that the patch reaches into are sorted, as upstream's library leaves them.
 * @throws PatchError 400 where the patch is not an object
 */
export function jsonMergePatch(doc: unknown, patch: unknown): JsonObject {
  if (!isObject(patch)) {
    const word = patch === null ? 'null' : Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch === 'bigint' ? 'number' : typeof patch
    throw new PatchError(400, `error decoding patch: json: cannot unmarshal ${word} into Go value of type map[string]interface {}`)
  }
  return merge(isObject(doc) ? doc : {}, patch)
}

function merge(target: JsonObject, patch: JsonObject): JsonObject {
  const out: JsonObject = {}
  for (const key of [...new Set([...Object.keys(target), ...Object.keys(patch)])].sort()) {
    const before = Object.hasOwn(target, key) ? target[key] : undefined
    const change = Object.hasOwn(patch, key) ? patch[key] : undefined
    if (change === null) continue
    if (change === undefined) {
      if (before !== undefined) setOwn(out, key, before)
    } else {
      setOwn(out, key, isObject(change) && isObject(before) ? merge(before, change) : withoutNulls(change))
    }
  }
  return out
}

/** New parts of the document carry no nulls: there they mean "not there". */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.filter((v) => v !== null).map(withoutNulls)
  if (!isObject(value)) return value
  const out: JsonObject = {}
  for (const [key, member] of Object.entries(value)) if (member !== null) setOwn(out, key, withoutNulls(member))
  return out
}
