import type { Pod } from '@berth/api/types/core/v1'
import type { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'
import type { FeedItem } from './feed-item.ts'

/** Is told in pieces: first what there is, between and after them what changes. Plain data, to be passed on to another thread. */
export type TapListener = (items: readonly FeedItem[]) => void

/** How many items are told at a time, and thus how long a turn of the loop what there is may hold up. */
const sliceSize = 200

/**
 * The branch of the stream of changes for a second cache: the same changes and this loop's own, assume and forget with their numbers. Who
 * listens is first told what there is, a slice a turn, read from the live cache: a change that overtakes its slice is told again by it, and
 * one of something not told yet stands alone, so that both caches come out alike once `synced` has been told.
 */
export class Tap {
  readonly #cache: Cache
  readonly #waiting: () => Iterable<Pod>
  readonly #listeners = new Set<{ readonly tell: TapListener; buffer: FeedItem[] }>()

  constructor(cache: Cache, waiting: () => Iterable<Pod>) {
    this.#cache = cache
    this.#waiting = waiting
  }

  open(tell: TapListener): () => void {
    const listener = { tell, buffer: [] as FeedItem[] }
    this.#listeners.add(listener)
    const contents = this.#contents()
    const next = (): void => {
      if (!this.#listeners.has(listener)) return
      const slice: FeedItem[] = []
      for (let item = contents.next(); ; item = contents.next()) {
        if (item.done) {
          slice.push({ type: 'synced' })
          break
        }
        slice.push(item.value)
        if (slice.length >= sliceSize) break
      }
      this.#flush(listener)
      tell(slice)
      if (slice.at(-1)?.type !== 'synced') setImmediate(next)
    }
    setImmediate(next)
    return () => void this.#listeners.delete(listener)
  }

  close(): void {
    this.#listeners.clear()
  }

  /** A change was applied to the cache. */
  tell(change: Change): void {
    if (this.#listeners.size === 0) return
    if (change.type !== 'assume') return this.#push(change)
    const { info: _ours, ...plain } = change
    this.#push(plain)
  }

  waiting(pod: Pod): void {
    if (this.#listeners.size > 0) this.#push({ type: 'waiting', pod })
  }

  settled(key: string): void {
    if (this.#listeners.size > 0) this.#push({ type: 'settled', key })
  }

  #push(item: FeedItem): void {
    for (const listener of this.#listeners) {
      listener.buffer.push(item)
      if (listener.buffer.length === 1) setImmediate(() => this.#flush(listener))
      else if (listener.buffer.length >= sliceSize) this.#flush(listener)
    }
  }

  #flush(listener: { readonly tell: TapListener; buffer: FeedItem[] }): void {
    if (listener.buffer.length === 0 || !this.#listeners.has(listener)) return
    const items = listener.buffer
    listener.buffer = []
    listener.tell(items)
  }

  *#contents(): Generator<FeedItem> {
    yield* this.#cache.contents()
    for (const pod of this.#waiting()) yield { type: 'waiting', pod }
  }
}
