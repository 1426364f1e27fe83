import { isObject } from '../decode/values.ts'
import { setOwn } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import { PatchError, PatchTestError, unprocessable } from './errors.ts'
import { clone, equal } from '../json/values.ts'

/** Upstream's bounds on what one patch may do. */
const maxOperations = 10_000
const maxCopiedBytes = 3 * 1024 * 1024

/**
 * Applies a JSON patch (RFC 6902). The document is not changed.
 * @param ops the parsed patch, a list of operations
 * @throws PatchError 400 for what is no list of operations, 413 for too many, 422 for one that does not fit the document
 */
export function jsonPatch(doc: unknown, ops: unknown): Json {
  if (!Array.isArray(ops)) throw new PatchError(400, `error decoding patch: json: cannot unmarshal ${word(ops as Json)} into Go value of type []handlers.jsonPatchOp`)
  for (const op of ops as Json[]) if (!isObject(op)) throw new PatchError(400, `error decoding patch: json: cannot unmarshal ${word(op)} into Go value of type handlers.jsonPatchOp`)
  if (ops.length > maxOperations) throw new PatchError(413, `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${ops.length}`)
  const patch = new Patch(clone(doc as Json))
  for (const op of ops as JsonObject[]) patch.apply(op)
  return patch.doc
}

function word(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value
}

class Patch {
  doc: Json
  #copied = 0

  constructor(doc: Json) {
    this.doc = doc
  }

  apply(op: JsonObject): void {
    const path = pointer(op, 'path')
    const value = (): Json => {
      const given = Object.hasOwn(op, 'value') ? op['value'] : undefined
      if (given === undefined) throw unprocessable(`missing value in ${String(op['op'])} of ${String(op['path'])}`)
      return clone(given)
    }
    switch (op['op']) {
      case 'add': return this.#add(path, value())
      case 'remove': return void this.#remove(path)
      case 'replace': {
        this.#get(path)
        return this.#set(path, value())
      }
      case 'move': return this.#add(path, this.#remove(pointer(op, 'from')))
      case 'copy': {
        const copy = clone(this.#get(pointer(op, 'from')))
        this.#copied += stringifyJson(copy).length
        if (this.#copied > maxCopiedBytes) throw unprocessable(`the copies of this patch add up to more than ${maxCopiedBytes} bytes`)
        return this.#add(path, copy)
      }
      case 'test':
        if (!equal(this.#find(path) ?? null, Object.hasOwn(op, 'value') ? op['value'] : null)) throw new PatchTestError(String(op['path']))
        return
      default: throw unprocessable(`Unexpected kind: ${String(op['op'])}`)
    }
  }

  #find(path: readonly string[]): Json | undefined {
    let at: Json | undefined = this.doc
    for (const key of path) {
      if (Array.isArray(at)) at = /^(0|[1-9]\d*)$/.test(key) ? at[Number(key)] : undefined
      else if (isObject(at) && Object.hasOwn(at, key)) at = at[key]
      else return undefined
    }
    return at
  }

  #get(path: readonly string[]): Json {
    const found = this.#find(path)
    if (found === undefined) throw unprocessable(`doc is missing key: /${path.join('/')}`)
    return found
  }

  #parent(path: readonly string[]): { parent: Json[] | JsonObject; key: string } {
    const parent = this.#find(path.slice(0, -1))
    const key = path.at(-1)
    if (key === undefined || parent === undefined || (!Array.isArray(parent) && !isObject(parent))) throw unprocessable(`doc is missing path: /${path.join('/')}`)
    return { parent, key }
  }

  #add(path: readonly string[], value: Json): void {
    if (path.length === 0) {
      this.doc = value
      return
    }
    const { parent, key } = this.#parent(path)
    if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : index(key, parent.length), 0, value)
    else setOwn(parent, key, value)
  }

  #set(path: readonly string[], value: Json): void {
    if (path.length === 0) {
      this.doc = value
      return
    }
    const { parent, key } = this.#parent(path)
    if (Array.isArray(parent)) parent[index(key, parent.length - 1)] = value
    else setOwn(parent, key, value)
  }

  #remove(path: readonly string[]): Json {
    const removed = this.#get(path)
    const { parent, key } = this.#parent(path)
    if (Array.isArray(parent)) parent.splice(index(key, parent.length - 1), 1)
    else delete parent[key]
    return removed
  }
}

function index(key: string, last: number): number {
  const i = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Number.NaN
  if (!(i <= last)) throw unprocessable(`Unable to access invalid index: ${key}`)
  return i
}

function pointer(op: JsonObject, member: 'path' | 'from'): string[] {
  const text = Object.hasOwn(op, member) ? op[member] : undefined
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) throw unprocessable(`missing or malformed ${member} in operation ${String(op['op'])}`)
  return text === '' ? [] : text.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}
