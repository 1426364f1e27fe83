// A Storage on etcd v3, under upstream's keys and in upstream's encoding. Compare-and-swap is etcd's transaction. What this process knows of the store it
// knows from one watch, which tells it of its own writes and of everybody else's in one order: several servers may share one etcd.
import type { Storage, StorageEntry, StorageEvent, StorageListener, StorageWrite } from '../storage.ts'
import { StorageConflict, StorageFailed } from '../storage.ts'
import type { EtcdClient } from './client.ts'
import { LeaseManager } from './leases.ts'
import type { KeyValue, WatchEvent } from './messages.ts'
import { follow } from './watcher.ts'

/** How values are written in etcd, and read. */
export interface StorageCodec {
  /** The stored form of what is to be written. */
  encode(write: StorageWrite): Uint8Array
  /** The entry of a stored value; it may do its work when it is first asked. */
  decode(key: string, value: Uint8Array, revision: { mod: number, create: number }): StorageEntry
}

export interface EtcdStorageOptions {
  client: EtcdClient
  /** --etcd-prefix. */
  prefix: string
  codec: StorageCodec
  /** --etcd-healthcheck-timeout, in milliseconds. */
  healthcheckTimeoutMs: number
  /** Told when the watch is lost and when it is back. */
  onState?(lostBecause: string | undefined): void
}

const ownPrefix = '/registry'
/** How long an answer waits for the watch to bring the write's own event. It is durable by then; only this process' caches lag. */
const echoTimeoutMs = 5_000
const sizeIntervalMs = 30_000
/** How long a server that starts waits for etcd: upstream's dial timeout. */
const startTimeoutMs = 20_000
const startRetryMs = 500
/** How long a server that stops waits for what is in flight; an etcd that is away never answers. */
const closeTimeoutMs = 5_000

/** Upstream takes the prefix with and without slashes around it. */
export function normalPrefix(prefix: string): string {
  return `/${prefix.split('/').filter((part) => part !== '').join('/')}`
}

/** The first key that no longer begins with a prefix. */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCodePoint((prefix.codePointAt(prefix.length - 1) ?? 0) + 1)
}

/** Builds a Storage on an etcd. */
export function etcdStorage(options: EtcdStorageOptions): Storage {
  return new EtcdStorage(options)
}

interface PendingWrite { key: string, bytes: Uint8Array, attach: ((revision: number) => unknown) | undefined }

class EtcdStorage implements Storage {
  readonly shared = true
  readonly expires = true
  readonly #options: EtcdStorageOptions
  readonly #client: EtcdClient
  readonly #prefix: string
  readonly #leases: LeaseManager
  readonly #listeners = new Set<StorageListener>()
  /** What the watch has told. */
  #told = new Map<string, StorageEntry>()
  #revision = 0
  /** What is known beyond that, from answers to writes and reads; forgotten as the watch catches up. */
  readonly #ahead = new Map<string, { revision: number, entry: StorageEntry | undefined }>()
  readonly #pending = new Set<PendingWrite>()
  readonly #waiting = new Set<{ revision: number, resolve(): void }>()
  #nextLatest: Promise<number> | undefined
  #runningLatest: Promise<number> | undefined
  #stopFollowing: () => Promise<void> = () => Promise.resolve()
  #sizeTimer: NodeJS.Timeout | undefined
  #size = 0
  #inFlight = 0
  readonly #idle: (() => void)[] = []
  #closed = false

  constructor(options: EtcdStorageOptions) {
    this.#options = options
    this.#client = options.client
    this.#prefix = normalPrefix(options.prefix)
    this.#leases = new LeaseManager(options.client)
  }

  async load(): Promise<{ entries: StorageEntry[], revision: number }> {
    const { entries, revision } = await this.#readPatiently()
    this.#told = new Map(entries.map((entry) => [entry.key, entry]))
    this.#revision = revision
    this.#stopFollowing = follow({
      client: this.#client, revision: () => this.#revision,
      onEvents: (events, upTo) => this.#apply(events, upTo),
      onCompacted: () => this.#reload(),
      onState: (reason) => this.#options.onState?.(reason),
    })
    await this.#measure()
    this.#sizeTimer = setInterval(() => void this.#measure(), sizeIntervalMs)
    this.#sizeTimer.unref()
    return { entries, revision }
  }

  async current(key: string): Promise<StorageEntry | undefined> {
    const ahead = this.#ahead.get(key)
    return ahead ? ahead.entry : this.#told.get(key)
  }

  async confirm(key: string): Promise<StorageEntry | undefined> {
    return this.#track(async () => {
      const { revision, kvs: [kv] } = await this.#client.range({ key: this.#theirs(key) })
      return this.#learn(key, revision, kv)
    })
  }

  /** Readers that ask while a question is under way share the next one: the one under way may be older than their call. */
  latest(): Promise<number> {
    this.#nextLatest ??= (async () => {
      await this.#runningLatest?.catch(() => undefined)
      this.#runningLatest = this.#nextLatest
      this.#nextLatest = undefined
      return this.#track(async () => (await this.#client.range({ key: this.#healthKey, countOnly: true })).revision)
    })()
    return this.#nextLatest
  }

  async readAt(prefix: string, revision: number): Promise<StorageEntry[] | undefined> {
    return this.#track(async () => {
      try {
        return (await this.#readAll(prefix, revision)).entries
      } catch (error) {
        if (isCompacted(error)) return undefined
        throw error
      }
    })
  }

  async write(write: StorageWrite): Promise<{ revision: number, entry: StorageEntry | undefined }> {
    const { key, expected } = write
    const known = this.#ahead.get(key)?.entry ?? this.#told.get(key)
    // Revisions only grow: what is known to be newer than what the write is built on settles it.
    if (known && known.modRevision > expected && expected > 0) throw new StorageConflict(key, known)
    return this.#track(async () => {
      const theirs = this.#theirs(key)
      const bytes = write.value && this.#options.codec.encode(write)
      const lease = bytes && write.ttlSeconds ? await this.#leases.lease(write.ttlSeconds) : 0n
      const pending = bytes && { key, bytes, attach: write.attachment }
      if (pending) this.#pending.add(pending)
      try {
        const { succeeded, revision, ranges } = await this.#client.txn({
          compare: [{ key: theirs, modRevision: expected }],
          success: [bytes ? { put: { key: theirs, value: bytes, lease } } : { deleteRange: { key: theirs } }],
          failure: [{ range: { key: theirs } }],
        })
        if (!succeeded) throw new StorageConflict(key, this.#learn(key, revision, ranges[0]?.kvs[0]))
        const entry = this.#learn(key, revision, bytes && { key: theirs, value: bytes, modRevision: revision, createRevision: expected === 0 ? revision : known?.createRevision ?? 0, version: 0 })
        await this.#echo(revision)
        return { revision, entry }
      } finally {
        if (pending) this.#pending.delete(pending)
      }
    })
  }

  watch(listener: StorageListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Upstream's probe: a read of this key, which need not be there. */
  async check(timeoutMs = this.#options.healthcheckTimeoutMs): Promise<void> {
    await this.#client.range({ key: this.#healthKey }, timeoutMs)
  }

  size(): number {
    return this.#size
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#sizeTimer)
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, closeTimeoutMs)
        this.#idle.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    await this.#stopFollowing()
    this.#client.close()
  }

  get #healthKey(): string {
    return `${this.#prefix}/health`
  }

  /** Runs a call, so that `close` waits for it; its failure is the storage's. */
  async #track<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StorageFailed('the storage is closed')
    this.#inFlight++
    try {
      return await call()
    } catch (error) {
      if (error instanceof StorageConflict || error instanceof StorageFailed) throw error
      throw new StorageFailed(error instanceof Error ? error.message : String(error), { cause: error })
    } finally {
      if (--this.#inFlight === 0) for (const done of this.#idle.splice(0)) done()
    }
  }

  #theirs(key: string): string {
    return this.#prefix + key.slice(ownPrefix.length)
  }

  /** Our name of a key; undefined where it is not below the prefix. */
  #ours(key: string): string | undefined {
    return key.startsWith(`${this.#prefix}/`) ? ownPrefix + key.slice(this.#prefix.length) : undefined
  }

  async #readAll(prefix = `${ownPrefix}/`, revision = 0): Promise<{ entries: StorageEntry[], revision: number }> {
    const from = this.#theirs(prefix)
    const entries: StorageEntry[] = []
    let at = revision
    for await (const page of this.#client.rangeAll({ key: from, rangeEnd: prefixEnd(from), revision })) {
      at = page.revision
      for (const kv of page.kvs) entries.push(this.#entry(this.#ours(kv.key) ?? kv.key, kv))
    }
    return { entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)), revision: at }
  }

  /** As `#readAll`, waiting for an etcd that starts at the same time. Rejects with what etcd's absence is known by. */
  async #readPatiently(): Promise<{ entries: StorageEntry[], revision: number }> {
    for (const until = Date.now() + startTimeoutMs; ;) {
      try {
        return await this.#readAll()
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        if (this.#closed || Date.now() > until || !/code = (Unavailable|DeadlineExceeded)|etcdserver: (no leader|request timed out)/.test(reason)) throw error
        this.#options.onState?.(reason)
        await new Promise((resolve) => setTimeout(resolve, startRetryMs))
      }
    }
  }

  /** The entry of a version, made once: what is known of it already is used again, and what this process wrote keeps what its writer had in hand. */
  #entry(key: string, kv: KeyValue): StorageEntry {
    const known = [this.#ahead.get(key)?.entry, this.#told.get(key)].find((entry) => entry?.modRevision === kv.modRevision)
    if (known) return known
    for (const pending of this.#pending) {
      if (pending.key === key && pending.attach && Buffer.compare(pending.bytes, kv.value) === 0) {
        const entry = this.#options.codec.decode(key, kv.value, { mod: kv.modRevision, create: kv.createRevision })
        entry.attachment = pending.attach(kv.modRevision)
        return entry
      }
    }
    return this.#options.codec.decode(key, kv.value, { mod: kv.modRevision, create: kv.createRevision })
  }

  /** Takes note of a key's state at a revision that an answer has told. */
  #learn(key: string, revision: number, kv: KeyValue | undefined): StorageEntry | undefined {
    const entry = kv && this.#entry(key, kv)
    const known = this.#ahead.get(key)
    if (revision > this.#revision && (!known || revision > known.revision)) this.#ahead.set(key, { revision, entry })
    return entry
  }

  #apply(events: readonly WatchEvent[], upTo: number): void {
    const changes: StorageEvent[] = []
    for (const { type, kv } of events) {
      const key = this.#ours(kv.key)
      if (key !== undefined) changes.push(this.#change(key, kv.modRevision, type === 'PUT' ? this.#entry(key, kv) : undefined))
    }
    this.#tell(changes, upTo, false)
  }

  #change(key: string, revision: number, entry: StorageEntry | undefined): StorageEvent {
    const previous = this.#told.get(key)
    if (entry) this.#told.set(key, entry)
    else this.#told.delete(key)
    return { revision, key, entry, previous }
  }

  #tell(changes: readonly StorageEvent[], upTo: number, gap: boolean): void {
    this.#revision = Math.max(this.#revision, upTo)
    for (const [key, { revision }] of this.#ahead) if (revision <= this.#revision) this.#ahead.delete(key)
    for (const listener of this.#listeners) listener(changes, this.#revision, gap)
    for (const waiting of this.#waiting) if (waiting.revision <= this.#revision) waiting.resolve()
  }

  /** What the watch could have told is compacted away: reads everything again and tells the difference. */
  async #reload(): Promise<void> {
    const { entries, revision } = await this.#readAll()
    const present = new Set(entries.map((entry) => entry.key))
    const gone = [...this.#told.keys()].filter((key) => !present.has(key))
    const changed = entries.filter((entry) => entry.modRevision > (this.#told.get(entry.key)?.modRevision ?? 0)).sort((a, b) => a.modRevision - b.modRevision)
    const changes = [...changed.map((entry) => this.#change(entry.key, entry.modRevision, entry)), ...gone.map((key) => this.#change(key, revision, undefined))]
    this.#tell(changes, revision, true)
  }

  /** Waits until the watch has told of a revision, or for so long as an answer can wait. */
  #echo(revision: number): Promise<void> {
    if (revision <= this.#revision) return Promise.resolve()
    return new Promise((resolve) => {
      const waiting = { revision, resolve: (): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
        resolve()
      } }
      const timer = setTimeout(waiting.resolve, echoTimeoutMs)
      this.#waiting.add(waiting)
    })
  }

  async #measure(): Promise<void> {
    try {
      this.#size = (await this.#client.status(this.#options.healthcheckTimeoutMs)).dbSize
    } catch {
      // The last figure stands; `check` tells that etcd is away.
    }
  }
}

function isCompacted(error: unknown): boolean {
  return error instanceof Error && 'compacted' in error && error.compacted === true
}
