// The committed state of one resource in memory, with a bounded history: what reads, lists and watches are served from.
import type { StorageEvent } from '../storage/storage.ts'
import type { CachedObject } from './cached-object.ts'
import { atRevision, cachedObjectOf } from './cached-object.ts'

/** One change of one object. */
export class CacheEvent {
  readonly revision: number
  readonly key: string
  /** The new version; undefined when the object was deleted. */
  readonly current: CachedObject | undefined
  readonly previous: CachedObject | undefined
  /** When it was committed, in milliseconds of the cache's clock. */
  readonly time: number
  /** Encoded once for all who watch now; empty again when they have been told. */
  readonly frames = new Map<string, Uint8Array>()
  #departed: CachedObject | undefined

  constructor(revision: number, key: string, current: CachedObject | undefined, previous: CachedObject | undefined, time = 0) {
    this.time = time
    this.revision = revision
    this.key = key
    this.current = current
    this.previous = previous
  }

  /** The last version, with this event's revision: what a watcher is told that sees the object go. */
  get departed(): CachedObject | undefined {
    if (!this.#departed && this.previous) this.#departed = atRevision(this.previous, this.revision)
    return this.#departed
  }
}

/** How much history each resource keeps for watches that resume and lists at an older revision: so many changes and bytes, and no older than `ageMs` beyond the last `keep`. */
export interface HistoryBounds { events: number, bytes: number, ageMs: number, keep: number }

const defaultBounds: HistoryBounds = { events: 4096, bytes: 8 * 1024 * 1024, ageMs: 5 * 60_000, keep: 100 }

/** The history does not reach back that far. */
export class HistoryGone extends Error {
  readonly oldest: number
  constructor(wanted: number, oldest: number) {
    super(`revision ${wanted} is older than the history, which begins at ${oldest}`)
    this.name = 'HistoryGone'
    this.oldest = oldest
  }
}

export class WatchCache {
  readonly prefix: string
  readonly #bounds: HistoryBounds
  readonly #now: () => number
  readonly #objects = new Map<string, CachedObject>()
  /** Keys in order. */
  readonly #keys: string[] = []
  #history: CacheEvent[] = []
  #historyBytes = 0
  /** Changes after this revision are all in the history. */
  #oldest = 0
  readonly #listeners = new Set<(event: CacheEvent) => void>()
  /** How to tell watchers that they have missed something. */
  readonly #interrupts = new Set<() => void>()

  constructor(prefix: string, bounds: HistoryBounds = defaultBounds, now: () => number = Date.now) {
    this.prefix = prefix
    this.#bounds = bounds
    this.#now = now
  }

  /** Sets the revision from which on the history is complete. */
  start(revision: number): void {
    this.#oldest = revision
  }

  /** Adds what was there at the start; keys must come in order. */
  load(cached: CachedObject): void {
    this.#objects.set(cached.key, cached)
    this.#keys.push(cached.key)
  }

  /** Takes a committed change and tells the listeners. */
  apply(event: StorageEvent): void {
    const current = event.entry && cachedObjectOf(event.entry)
    const previous = this.#objects.get(event.key)
    if (current) {
      this.#objects.set(event.key, current)
      if (!previous) this.#keys.splice(this.#position(event.key), 0, event.key)
    } else {
      if (!previous) return
      this.#objects.delete(event.key)
      this.#keys.splice(this.#position(event.key), 1)
    }
    const change = new CacheEvent(event.revision, event.key, current, previous, this.#now())
    this.#remember(change)
    for (const listener of this.#listeners) listener(change)
    change.frames.clear()
    previous?.release()
  }

  get(key: string): CachedObject | undefined {
    return this.#objects.get(key)
  }

  get size(): number {
    return this.#objects.size
  }

  /** Objects whose key starts with a prefix, in key order, from `after` (exclusive) on. */
  * range(prefix: string, after = ''): Generator<CachedObject> {
    const from = after > prefix ? after : prefix
    for (let i = this.#position(from); i < this.#keys.length; i++) {
      const key = this.#keys[i] ?? ''
      if (!key.startsWith(prefix)) {
        if (key > prefix) return
        continue
      }
      if (key <= after) continue
      const cached = this.#objects.get(key)
      if (cached) yield cached
    }
  }

  /** As `range`, as it was at a past revision. Throws HistoryGone. */
  * rangeAt(revision: number, prefix: string, after = ''): Generator<CachedObject> {
    if (revision < this.#oldest) throw new HistoryGone(revision, this.#oldest)
    const restored = new Map<string, CachedObject | undefined>()
    for (const event of this.#history) {
      if (event.revision > revision && !restored.has(event.key)) restored.set(event.key, event.previous)
    }
    const gone = [...restored].filter(([key, cached]) => cached && !this.#objects.has(key) && key.startsWith(prefix) && key > after).map(([key]) => key).sort()
    let next = 0
    for (const cached of this.range(prefix, after)) {
      for (; next < gone.length && (gone[next] ?? '') < cached.key; next++) {
        const old = restored.get(gone[next] ?? '')
        if (old) yield old
      }
      const was = restored.has(cached.key) ? restored.get(cached.key) : cached
      if (was) yield was
    }
    for (; next < gone.length; next++) {
      const old = restored.get(gone[next] ?? '')
      if (old) yield old
    }
  }

  /** Changes after a revision, then every later one as it is committed. `interrupted` is called when changes were missed: nothing comes after that. Throws HistoryGone. */
  subscribe(after: number, listener: (event: CacheEvent) => void, interrupted: () => void = () => {}): () => void {
    if (after < this.#oldest) throw new HistoryGone(after, this.#oldest)
    for (const event of this.#history) if (event.revision > after) listener(event)
    this.#listeners.add(listener)
    const interrupt = (): void => {
      this.#listeners.delete(listener)
      this.#interrupts.delete(interrupt)
      interrupted()
    }
    this.#interrupts.add(interrupt)
    return () => {
      this.#listeners.delete(listener)
      this.#interrupts.delete(interrupt)
    }
  }

  /** Every later change; after a gap, what the state differs by. */
  follow(listener: (event: CacheEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Changes up to a revision were missed, and what follows now is the difference alone: history begins anew, and who watches is cut off. */
  interrupt(revision: number): void {
    for (const interrupt of this.#interrupts) interrupt()
    this.#history = []
    this.#historyBytes = 0
    this.#oldest = Math.max(this.#oldest, revision)
  }

  get oldest(): number {
    return this.#oldest
  }

  get watchers(): number {
    return this.#listeners.size
  }

  #remember(event: CacheEvent): void {
    this.#history.push(event)
    this.#historyBytes += event.current?.size ?? 256
    const { events, bytes, ageMs, keep } = this.#bounds
    const old = this.#history[Math.floor(this.#history.length / 4)]
    const aged = this.#history.length > keep && old !== undefined && old.time < event.time - ageMs
    // A quarter at a time, so that the array is not moved for every event.
    if (this.#history.length > events || this.#historyBytes > bytes || aged) this.#drop(Math.max(1, Math.floor(this.#history.length / 4)))
  }

  #drop(count: number): void {
    if (count === 0) return
    const dropped = this.#history.slice(0, count)
    this.#history = this.#history.slice(count)
    for (const event of dropped) this.#historyBytes -= event.current?.size ?? 256
    this.#oldest = Math.max(this.#oldest, dropped.at(-1)?.revision ?? 0)
  }

  /** The first position whose key is not below `key`. */
  #position(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
