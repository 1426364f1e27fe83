import type { Clock } from '../clock/clock.ts'

/**
 * A set of keys to work on, as client-go's work queue: a key that waits is in it once; a key that is being worked on and added again
 * waits until `done`; so no key is handled twice at the same time, and the last change is never missed.
 */
export interface WorkQueue<K extends string = string> {
  readonly name: string
  /** Keys ready to be taken. */
  readonly length: number
  add(key: K): void
  /** Adds after `ms`; the earliest of several wins. */
  addAfter(key: K, ms: number): void
  /** Adds after a delay that doubles with each call until {@link forget}. */
  addRateLimited(key: K): void
  /** Ends the key's back-off. */
  forget(key: K): void
  /** How often the key was added rate-limited since it was last forgotten. */
  retries(key: K): number
  /** The next key; waits for one. `undefined` once the queue is shut down and empty. Each key taken must be given back with {@link done}. */
  get(): Promise<K | undefined>
  done(key: K): void
  shutDown(): void
}

/** What a queue reports about itself; see `workQueueMetrics` for upstream's metrics. Durations are in seconds. */
export interface WorkQueueObserver {
  depth(count: number): void
  added(): void
  retried(): void
  /** A key was taken after it had waited so long. */
  taken(waitedSeconds: number): void
  /** A key was given back after so long. */
  finished(workedSeconds: number): void
}

export interface WorkQueueOptions {
  name: string
  /** First delay of the back-off; 5 ms when absent. */
  baseDelayMs?: number
  /** Greatest delay of the back-off; 1000 s when absent. */
  maxDelayMs?: number
  clock?: Clock
  observer?: WorkQueueObserver
}
