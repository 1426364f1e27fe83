// A Storage whose newest state lives in memory and whose writes are committed in groups: while one group is being made durable, the next one gathers.
import type { Committer, CommitRow } from './committer.ts'
import { CommitError } from './committer.ts'
import type { Storage, StorageEntry, StorageEvent, StorageListener, StorageWrite } from './storage.ts'
import { StorageConflict, StorageFailed, StorageReadOnly } from './storage.ts'

interface PendingWrite {
  row: CommitRow
  entry: StorageEntry | undefined
  previous: StorageEntry | undefined
  resolve(result: { revision: number, entry: StorageEntry | undefined }): void
  reject(error: Error): void
}

/** After a failed commit one write in this many milliseconds is let through, to see whether the disk is back. */
const probeIntervalMs = 5_000

export interface GroupCommitOptions {
  /** Called when the storage becomes read-only and when it recovers. */
  onState?(readOnlyBecause: string | undefined): void
  now?(): number
}

/** A Storage whose state is at hand. */
export interface GroupCommitted extends Storage {
  /** Everything that is durable now, in key order, and its revision. */
  committed(): { entries: StorageEntry[], revision: number }
}

/** Builds a Storage on a committer. */
export function groupCommitStorage(committer: Committer, options: GroupCommitOptions = {}): GroupCommitted {
  return new GroupCommitStorage(committer, options)
}

class GroupCommitStorage implements GroupCommitted {
  readonly shared = false
  readonly expires = false
  readonly #committer: Committer
  readonly #options: GroupCommitOptions
  readonly #now: () => number
  /** Newest state, writes in flight included. */
  #head = new Map<string, StorageEntry>()
  /** Newest revision given out, and newest committed one. */
  #headRevision = 0
  #revision = 0
  #queued: PendingWrite[] = []
  #flying: PendingWrite[] = []
  #listeners = new Set<StorageListener>()
  #readOnly: string | undefined
  #nextProbe = 0
  #idle: (() => void)[] = []
  #closed = false
  #flushScheduled = false

  constructor(committer: Committer, options: GroupCommitOptions) {
    this.#committer = committer
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  async load(): Promise<{ entries: StorageEntry[], revision: number }> {
    const { rows, revision } = await this.#committer.load()
    const entries: StorageEntry[] = []
    for (const row of rows) {
      if (!row.value) continue
      const entry: StorageEntry = { key: row.key, value: row.value, modRevision: row.revision, createRevision: row.createRevision }
      entries.push(entry)
      this.#head.set(row.key, entry)
    }
    this.#revision = revision
    this.#headRevision = revision
    return { entries, revision }
  }

  async current(key: string): Promise<StorageEntry | undefined> {
    return this.#head.get(key)
  }

  confirm(key: string): Promise<StorageEntry | undefined> {
    return this.current(key)
  }

  committed(): { entries: StorageEntry[], revision: number } {
    const state = new Map(this.#head)
    for (const { row, previous } of [...this.#flying, ...this.#queued].toReversed()) {
      if (previous) state.set(row.key, previous)
      else state.delete(row.key)
    }
    return { entries: [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1)), revision: this.#revision }
  }

  async latest(): Promise<number> {
    return this.#revision
  }

  /** The past is in the caches alone. */
  async readAt(): Promise<undefined> {
    return undefined
  }

  async check(): Promise<void> {
    if (this.#readOnly !== undefined) throw new StorageReadOnly(this.#readOnly)
  }

  write(write: StorageWrite): Promise<{ revision: number, entry: StorageEntry | undefined }> {
    if (this.#closed) return Promise.reject(new StorageFailed('the storage is closed'))
    if (this.#readOnly !== undefined) {
      if (this.#now() < this.#nextProbe) return Promise.reject(new StorageReadOnly(this.#readOnly))
      this.#nextProbe = this.#now() + probeIntervalMs
    }
    const previous = this.#head.get(write.key)
    if ((previous?.modRevision ?? 0) !== write.expected) return Promise.reject(new StorageConflict(write.key, previous))
    const revision = this.#headRevision + 1
    let entry: StorageEntry | undefined
    if (write.value) {
      entry = { key: write.key, value: write.value(revision), modRevision: revision, createRevision: previous?.createRevision ?? revision, attachment: write.attachment?.(revision) }
      this.#head.set(write.key, entry)
    } else {
      this.#head.delete(write.key)
    }
    this.#headRevision = revision
    const row: CommitRow = { key: write.key, revision, createRevision: entry?.createRevision ?? 0, value: entry?.value }
    return new Promise((resolve, reject) => {
      this.#queued.push({ row, entry, previous, resolve, reject })
      this.#schedule()
    })
  }

  watch(listener: StorageListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  size(): number {
    return this.#committer.size()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#queued.length > 0 || this.#flying.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    await this.#committer.close()
  }

  /** Requests that arrive in the same turn of the event loop share a group. */
  #schedule(): void {
    if (this.#flushScheduled || this.#flying.length > 0) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    if (this.#flying.length > 0 || this.#queued.length === 0) return
    this.#flying = this.#queued
    this.#queued = []
    const group = this.#flying
    try {
      await this.#committer.commit(group.map((w) => w.row))
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#flying = []
    if (this.#readOnly !== undefined) {
      this.#readOnly = undefined
      this.#options.onState?.(undefined)
    }
    this.#revision = group.at(-1)?.row.revision ?? this.#revision
    const events = group.map((w): StorageEvent => ({ revision: w.row.revision, key: w.row.key, entry: w.entry, previous: w.previous }))
    for (const listener of this.#listeners) listener(events, this.#revision, false)
    for (const w of group) w.resolve({ revision: w.row.revision, entry: w.entry })
    if (this.#queued.length > 0) this.#schedule()
    else for (const done of this.#idle.splice(0)) done()
  }

  /** A group that was not written takes everything with it that was queued behind it: those writes were built on a head that never became true. */
  #fail(error: unknown): void {
    const lost = [...this.#flying, ...this.#queued]
    this.#flying = []
    this.#queued = []
    for (const w of lost.toReversed()) {
      if (w.previous) this.#head.set(w.row.key, w.previous)
      else this.#head.delete(w.row.key)
    }
    this.#headRevision = this.#revision
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof CommitError && error.full) {
      this.#readOnly = message
      this.#nextProbe = this.#now() + probeIntervalMs
      this.#options.onState?.(message)
    }
    const reason = this.#readOnly === undefined ? new StorageFailed(message, { cause: error }) : new StorageReadOnly(message, { cause: error })
    for (const w of lost) w.reject(reason)
    for (const done of this.#idle.splice(0)) done()
  }
}
