import type { Timer } from '../clock/clock.ts'
import { systemClock } from '../clock/system-clock.ts'
import type { WorkQueue, WorkQueueOptions } from './work-queue.ts'

/** Makes a {@link WorkQueue}. Keys are taken in the order they became ready. */
export function createWorkQueue<K extends string = string>(options: WorkQueueOptions): WorkQueue<K> {
  const { name, baseDelayMs = 5, maxDelayMs = 1_000_000, clock = systemClock, observer } = options
  /** Wanted: waiting in `ready`, or being worked on and to be queued again. */
  const dirty = new Set<K>()
  const processing = new Set<K>()
  const ready = new Set<K>()
  const delayed = new Map<K, { at: number; timer: Timer }>()
  const failures = new Map<K, number>()
  const waiters: ((key: K | undefined) => void)[] = []
  /** When keys became wanted and were taken; kept for the observer alone. */
  const since = new Map<K, number>()
  const takenAt = new Map<K, number>()
  let stopped = false

  const offer = (key: K): void => {
    const waiter = waiters.shift()
    if (waiter === undefined) {
      ready.add(key)
      observer?.depth(ready.size)
      return
    }
    take(key)
    waiter(key)
  }
  const take = (key: K): void => {
    ready.delete(key)
    dirty.delete(key)
    processing.add(key)
    if (observer === undefined) return
    const now = clock.now()
    observer.depth(ready.size)
    observer.taken((now - (since.get(key) ?? now)) / 1000)
    since.delete(key)
    takenAt.set(key, now)
  }

  const queue: WorkQueue<K> = {
    name,
    get length() { return ready.size },
    add(key) {
      if (stopped || dirty.has(key)) return
      dirty.add(key)
      observer?.added()
      if (observer !== undefined) since.set(key, clock.now())
      if (!processing.has(key)) offer(key)
    },
    addAfter(key, ms) {
      if (stopped) return
      if (ms <= 0) return queue.add(key)
      const at = clock.now() + ms
      const waiting = delayed.get(key)
      if (waiting !== undefined && waiting.at <= at) return
      waiting?.timer.cancel()
      const timer = clock.setTimeout(() => {
        delayed.delete(key)
        queue.add(key)
      }, ms)
      delayed.set(key, { at, timer })
    },
    addRateLimited(key) {
      observer?.retried()
      const failed = failures.get(key) ?? 0
      failures.set(key, failed + 1)
      queue.addAfter(key, Math.min(baseDelayMs * 2 ** Math.min(failed, 60), maxDelayMs))
    },
    forget(key) {
      failures.delete(key)
    },
    retries: (key) => failures.get(key) ?? 0,
    get() {
      const [key] = ready
      if (key !== undefined) {
        take(key)
        return Promise.resolve(key)
      }
      return stopped ? Promise.resolve(undefined) : new Promise((resolve) => waiters.push(resolve))
    },
    done(key) {
      processing.delete(key)
      observer?.finished((clock.now() - (takenAt.get(key) ?? clock.now())) / 1000)
      takenAt.delete(key)
      if (dirty.has(key)) offer(key)
    },
    shutDown() {
      stopped = true
      for (const { timer } of delayed.values()) timer.cancel()
      delayed.clear()
      for (const waiter of waiters.splice(0)) waiter(undefined)
    },
  }
  return queue
}
