// What a snapshot is made of: keys with their values, as they lie in the store they come from.
import { createHash } from 'node:crypto'
import { parseJson, stringifyJson } from '@berth/api'
import type { Json } from '@berth/api'
import type { StorageCodec } from '../storage/etcd/etcd-storage.ts'

/** One key. Its value is what the store has: JSON with a resourceVersion (SQLite), or what upstream stores (etcd). */
export interface SnapshotRecord {
  /** `/registry/...`, whatever the prefix in etcd is. */
  key: string
  value: Uint8Array
  created: number
  modified: number
}

/** A store's state at one revision, in key order. */
export interface SnapshotSource {
  source: 'sqlite' | 'etcd3'
  revision: number
  records: AsyncIterable<SnapshotRecord>
}

/** Keys that a server holds only while it lives: who is there, and until when. They are never kept. */
export function isPassing(key: string): boolean {
  return key.startsWith('/registry/masterleases/') || key.startsWith('/registry/peerserverleases/')
}

/** Collects what objects say, whatever store they lie in and however they are encoded there, into one hash. Records must come in key order. */
export class ContentDigest {
  readonly #hash = createHash('sha256')
  readonly #codec: StorageCodec
  count = 0

  constructor(codec: StorageCodec) {
    this.#codec = codec
  }

  /** Throws where a value cannot be read. */
  add({ key, value }: Pick<SnapshotRecord, 'key' | 'value'>): void {
    const object = parseJson(this.#codec.decode(key, value, { mod: 0, create: 0 }).value).value
    this.#hash.update(`${key}\n${stringifyJson(sorted(object))}\n`)
    this.count++
  }

  /** Hexadecimal; no more can be added. */
  end(): string {
    return this.#hash.digest('hex')
  }
}

/** The same value with the keys of its objects in order. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key] as Json)]))
}
