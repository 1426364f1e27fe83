// One version of one object in memory: its bytes as they are served, and the decoded value, each made on first use.
import type { ApiObject } from '../interfaces.ts'
import type { StorageEntry } from '../storage/storage.ts'
import { parseJson, stringifyJson } from '@berth/api'
import type { Json } from '@berth/api'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** JSON text. The engine's own writer is several times faster; it refuses the rare value that needs ours. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return stringifyJson(value as Json)
  }
}

/** Reads JSON that this server wrote itself: only integers of so many digits need our parser. */
function parseStored(bytes: Uint8Array): ApiObject {
  const text = decoder.decode(bytes)
  return (/\d{16}/.test(text) ? parseJson(text).value : JSON.parse(text)) as ApiObject
}

/** Encodes an object with `kind` and `apiVersion` first, so that list items can drop them by cutting a fixed prefix. */
export function encodeObject(object: ApiObject): Uint8Array {
  const { kind, apiVersion, ...rest } = object
  return encoder.encode(jsonText({ kind, apiVersion, ...rest }))
}

/** The length of `"kind":"Pod","apiVersion":"v1",` after the opening brace. */
export function typePrefixLength(kind: string, apiVersion: string): number {
  return `"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`.length
}

/** Whether encoded JSON is of a kind and apiVersion, which it begins with. */
export function isOfType(bytes: Uint8Array, kind: string, apiVersion: string): boolean {
  const prefix = Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`)
  return prefix.equals(bytes.subarray(0, prefix.length))
}

/** A stored form other than JSON. */
export interface DecodedFrom {
  /** In bytes. */
  readonly size: number
  decode(): ApiObject
}

/** A version of an object. Never changed; derive a new one instead. */
export class CachedObject {
  readonly key: string
  readonly revision: number
  #object: ApiObject | undefined
  #bytes: Uint8Array | undefined
  /** What it was read from, where that is not JSON: its size, and the way to the object. */
  readonly #source: DecodedFrom | undefined
  /** Answers derived from this version (other API versions, watch frames), by name. */
  readonly derived = new Map<string, Uint8Array>()

  constructor(key: string, revision: number, object: ApiObject | undefined, bytes: Uint8Array | undefined, source?: DecodedFrom) {
    this.#source = source
    this.key = key
    this.revision = revision
    this.#object = object
    this.#bytes = bytes
  }

  /** The decoded object. Frozen by agreement. */
  get object(): ApiObject {
    this.#object ??= this.#source?.decode() ?? parseStored(this.#bytes ?? new Uint8Array())
    return this.#object
  }

  /** About how many bytes it takes; nothing is encoded to find out. */
  get size(): number {
    return this.#source?.size ?? this.bytes.length
  }

  /** Lets the decoded form go where the bytes are kept: for versions that are history. It comes back when asked for. */
  release(): void {
    if (this.#source) this.#bytes = undefined
    if (this.#bytes || this.#source) this.#object = undefined
    this.derived.clear()
  }

  /** JSON as served in the storage version. */
  get bytes(): Uint8Array {
    this.#bytes ??= encodeObject(this.object)
    return this.#bytes
  }
}

/** The cached form of a stored version; made once. */
export function cachedObjectOf(entry: StorageEntry): CachedObject {
  if (entry.attachment instanceof CachedObject) return entry.attachment
  const cached = new CachedObject(entry.key, entry.modRevision, undefined, entry.value)
  entry.attachment = cached
  return cached
}

/** The same object as a later revision saw it for the last time: what DELETED events carry. */
export function atRevision(cached: CachedObject, revision: number): CachedObject {
  const object: ApiObject = { ...cached.object, metadata: { ...cached.object.metadata, resourceVersion: String(revision) } }
  return new CachedObject(cached.key, revision, object, undefined)
}
