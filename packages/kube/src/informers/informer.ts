import type { ResourceInfo } from '@berth/api'

/** What an informer knows: the objects as last seen, by `namespace/name`. Never change an object you got from it. */
export interface Store<T> {
  get(key: string): T | undefined
  list(): T[]
  keys(): string[]
  /** Objects for which the indexer named `index` gave `value`. Throws where there is no such indexer. */
  byIndex(index: string, value: string): T[]
}

/** Called in the order of the watch, one event at a time, after the store changed. An exception is logged and goes no further. */
export interface InformerHandler<T> {
  added?(object: T): void
  updated?(old: T, now: T): void
  deleted?(last: T): void
}

export interface InformerOptions<T> {
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
  /** Keeps only what the caller needs of each object (memory). It may change its argument and must keep metadata's name, namespace, uid and resourceVersion. */
  project?: (object: T) => T
  /** Named functions from an object to the values it is found under. */
  indexers?: Record<string, (object: T) => string[]>
}

export interface Informer<T> {
  readonly resource: ResourceInfo<T>
  readonly store: Store<T>
  /** Whether the first list has been taken in and its handlers called. */
  readonly synced: boolean
  /** Objects already known are reported as added. Gives the function that takes the handler away. */
  on(handler: InformerHandler<T>): () => void
  /** Adds an indexer after the fact; what is known is indexed at once. The same name with another function throws. */
  addIndexer(name: string, indexer: (object: T) => string[]): void
  /** Resolves when {@link synced}; rejects when the signal aborts first. */
  whenSynced(signal?: AbortSignal): Promise<void>
}

/** Informers of one client. The same resource, namespace, selectors and projection function share one watch. */
export interface Informers {
  for<T>(resource: ResourceInfo<T>, options?: InformerOptions<T>): Informer<T>
  /** Starts all, and each that is asked for later, until the signal aborts. */
  start(signal: AbortSignal): void
  /** Resolves when all that exist have synced. */
  whenSynced(signal?: AbortSignal): Promise<void>
}
