// The storage interface: what the registry needs of a store, and nothing a store like etcd could not give.

/** One key at one version. Values and attachments are never changed once written. */
export interface StorageEntry {
  readonly key: string
  readonly value: Uint8Array
  /** Revision of the write that made this version. */
  readonly modRevision: number
  /** Revision of the write that created the key. */
  readonly createRevision: number
  /** What the writer had in hand beside the bytes (the decoded object); absent for entries that were read from disk. */
  attachment?: unknown
}

/** A committed change, told in revision order. */
export interface StorageEvent {
  readonly revision: number
  readonly key: string
  /** The new version; undefined when the key was deleted. */
  readonly entry: StorageEntry | undefined
  /** The version before; undefined when the key is new. */
  readonly previous: StorageEntry | undefined
}

export interface StorageWrite {
  key: string
  /** modRevision of the version this write is built on; 0 when the key must not exist. */
  expected: number
  /** The bytes of the new version, given its revision; undefined deletes. Called once, at once. */
  value: ((revision: number) => Uint8Array) | undefined
  attachment?: (revision: number) => unknown
  /** Seconds after which the key goes by itself, where the store can do that (`expires`). */
  ttlSeconds?: number
}

/**
 * Told of committed changes, in revision order. `revision`: everything up to it has been told now; it may be ahead of the last change.
 * `gap`: what happened meanwhile is not known one by one; the changes are the difference between what was told before and what is.
 */
export type StorageListener = (events: readonly StorageEvent[], revision: number, gap: boolean) => void

/** Where objects are kept. Keys are `/registry/...`, as upstream lays them out; values are JSON as it is served, with metadata.resourceVersion. */
export interface Storage {
  /** Others may write to it too: what is in memory may be behind, and `confirm` and `latest` cost a round trip. */
  readonly shared: boolean
  /** Keys with `ttlSeconds` go by themselves. */
  readonly expires: boolean
  /** Everything there is, in key order, and its revision. Called once, before anything else. */
  load(): Promise<{ entries: StorageEntry[], revision: number }>
  /** Newest version, writes in flight included: a base for `write`, never for an answer. */
  current(key: string): Promise<StorageEntry | undefined>
  /** As `current`, but for certain the newest version at the time of the call, whoever wrote it. Rejects with StorageFailed. */
  confirm(key: string): Promise<StorageEntry | undefined>
  /** A revision that is not older than any write that was acknowledged, by whomever, before the call. Rejects with StorageFailed. */
  latest(): Promise<number>
  /** Everything below a prefix as it was at a past revision, in key order; undefined where that is not kept (any more). */
  readAt(prefix: string, revision: number): Promise<StorageEntry[] | undefined>
  /**
   * Compare-and-swap. Resolves once the write is durable, with the new revision (and the new version, unless it was a delete).
   * Rejects with StorageConflict when `expected` is not the newest version, StorageReadOnly, or StorageFailed when the commit (or one it is built on) failed.
   */
  write(write: StorageWrite): Promise<{ revision: number, entry: StorageEntry | undefined }>
  /** Tells every change committed after `load`, in order, and own writes before `write` resolves. Returns the way to stop. */
  watch(listener: StorageListener): () => void
  /** Resolves when reads and writes can be expected to work; rejects with why not. */
  check(timeoutMs?: number): Promise<void>
  /** Bytes on disk; 0 in memory. */
  size(): number
  /** Waits for writes in flight and releases everything. */
  close(): Promise<void>
}

/** The version a write was built on is not the newest one. */
export class StorageConflict extends Error {
  readonly current: StorageEntry | undefined
  constructor(key: string, current: StorageEntry | undefined) {
    super(`${key} was changed by somebody else`)
    this.name = 'StorageConflict'
    this.current = current
  }
}

/** Nothing can be written at present (disk full, I/O errors); reads go on. */
export class StorageReadOnly extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`storage is read-only: ${reason}`, options)
    this.name = 'StorageReadOnly'
  }
}

/** The write was not committed, or was built on one that was not. */
export class StorageFailed extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(`storage write failed: ${reason}`, options)
    this.name = 'StorageFailed'
  }
}
