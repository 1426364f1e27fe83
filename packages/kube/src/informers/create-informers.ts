import { setMaxListeners } from 'node:events'
import type { ResourceInfo } from '@berth/api'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import type { KubeClient } from '../client/client.ts'
import type { Clock } from '../clock/clock.ts'
import { abortReason, systemClock } from '../clock/system-clock.ts'
import { UsageError } from '../errors.ts'
import { silentLogger } from '../logging/create-logger.ts'
import type { Logger } from '../logging/logger.ts'
import { IndexedStore, type Indexer } from './indexed-store.ts'
import type { Informer, InformerHandler, InformerOptions, Informers } from './informer.ts'
import { keyOf } from './key.ts'
import { reflect } from './reflector.ts'

export interface InformersOptions {
  logger?: Logger
  /** Reports every object as updated this often; never when absent. */
  resyncSeconds?: number
  clock?: Clock
  random?: () => number
}

type Selection = Pick<InformerOptions<unknown>, 'namespace' | 'labelSelector' | 'fieldSelector'>

/** Makes the informers of a client. See {@link Informers} for what is shared. */
export function createInformers(client: KubeClient, options: InformersOptions = {}): Informers {
  const shared = new Map<string, SharedInformer<unknown>>()
  const projections = new Map<unknown, number>()
  let running: AbortSignal | undefined
  const settings = { client, logger: options.logger ?? silentLogger(), clock: options.clock ?? systemClock, random: options.random ?? Math.random, resyncSeconds: options.resyncSeconds ?? 0 }

  return {
    for<T>(resource: ResourceInfo<T>, o: InformerOptions<T> = {}): Informer<T> {
      if (o.project !== undefined && !projections.has(o.project)) projections.set(o.project, projections.size + 1)
      const id = JSON.stringify([resource.group, resource.version, resource.resource, o.namespace, o.labelSelector, o.fieldSelector, projections.get(o.project)])
      let found = shared.get(id) as SharedInformer<T> | undefined
      if (found === undefined) {
        found = new SharedInformer(resource, { namespace: o.namespace, labelSelector: o.labelSelector, fieldSelector: o.fieldSelector }, o.project, settings)
        shared.set(id, found as SharedInformer<unknown>)
        if (running !== undefined) found.start(running)
      }
      return found.view(o.indexers ?? {})
    },
    start(signal) {
      // Each informer listens for the end.
      setMaxListeners(0, signal)
      running ??= signal
      for (const informer of shared.values()) informer.start(signal)
    },
    async whenSynced(signal) {
      await Promise.all([...shared.values()].map((informer) => informer.whenSynced(signal)))
    },
  }
}

interface Settings {
  client: KubeClient
  logger: Logger
  clock: Clock
  random: () => number
  resyncSeconds: number
}

/** One list and watch with its store and handlers; each user has a view of it. */
class SharedInformer<T> {
  readonly #resource: ResourceInfo<T>
  readonly #selection: Selection
  readonly #project: ((object: T) => T) | undefined
  readonly #settings: Settings
  readonly #store = new IndexedStore<T>()
  readonly #handlers = new Set<InformerHandler<T>>()
  readonly #synced = Promise.withResolvers<void>()
  #isSynced = false
  #started = false

  constructor(resource: ResourceInfo<T>, selection: Selection, project: ((object: T) => T) | undefined, settings: Settings) {
    this.#resource = resource
    this.#selection = selection
    this.#project = project
    this.#settings = settings
  }

  start(signal: AbortSignal): void {
    if (this.#started || signal.aborted) return
    this.#started = true
    const { client, clock, logger, random } = this.#settings
    const sink = { replace: (objects: T[]) => this.#replace(objects), put: (object: T) => this.#put(object), remove: (object: T) => this.#remove(object) }
    void reflect({ client, resource: this.#resource, selection: this.#selection, sink, clock, logger, random }, signal)
    if (this.#settings.resyncSeconds > 0) this.#resyncLater(signal)
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    if (signal === undefined || this.#isSynced) return this.#synced.promise
    if (signal.aborted) return Promise.reject(abortReason(signal))
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(abortReason(signal))
      signal.addEventListener('abort', abort, { once: true })
      void this.#synced.promise.then(() => {
        signal.removeEventListener('abort', abort)
        resolve()
      })
    })
  }

  view(indexers: Readonly<Record<string, Indexer<T>>>): Informer<T> {
    const names = new Map<string, Indexer<T>>()
    const addIndexer = (name: string, indexer: Indexer<T>): void => {
      const known = names.get(name)
      if (known === indexer) return
      if (known !== undefined) throw new UsageError(`the informer has another index ${JSON.stringify(name)}`)
      names.set(name, indexer)
      this.#store.addIndexer(indexer)
    }
    for (const [name, indexer] of Object.entries(indexers)) addIndexer(name, indexer)
    const isSynced = (): boolean => this.#isSynced
    return {
      resource: this.#resource,
      store: this.#store.view(names),
      get synced() { return isSynced() },
      addIndexer,
      on: (handler) => this.#on(handler),
      whenSynced: (signal) => this.whenSynced(signal),
    }
  }

  #on(handler: InformerHandler<T>): () => void {
    const own = { ...handler }
    for (const object of this.#store.list()) this.#call(() => own.added?.(object))
    this.#handlers.add(own)
    return () => { this.#handlers.delete(own) }
  }

  #replace(objects: T[]): void {
    const gone = new Set(this.#store.keys())
    for (const object of objects) {
      gone.delete(keyOf(object as { metadata: ObjectMeta }))
      this.#put(object)
    }
    for (const key of gone) this.#forget(key)
    if (this.#isSynced) return
    this.#isSynced = true
    this.#synced.resolve()
  }

  #put(incoming: T): void {
    const key = keyOf(incoming as { metadata: ObjectMeta })
    const known = this.#store.get(key)
    const before = metadata(known)
    const now = metadata(incoming)
    // A new list brings what we have: nothing happened to it.
    if (before !== undefined && before.uid === now?.uid && before.resourceVersion !== undefined && before.resourceVersion === now?.resourceVersion) return
    const object = this.#project === undefined ? incoming : this.#project(incoming)
    // Deleted and made again while we were not looking: another object under the same name.
    if (before?.uid !== undefined && before.uid !== now?.uid) this.#forget(key)
    const old = this.#store.put(key, object)
    if (old === undefined) this.#tell((handler) => handler.added?.(object))
    else this.#tell((handler) => handler.updated?.(old, object))
  }

  #remove(last: T): void {
    const key = keyOf(last as { metadata: ObjectMeta })
    const known = this.#store.delete(key)
    if (known === undefined) return
    const object = this.#project === undefined ? last : this.#project(last)
    this.#tell((handler) => handler.deleted?.(object))
  }

  #forget(key: string): void {
    const last = this.#store.delete(key)
    if (last !== undefined) this.#tell((handler) => handler.deleted?.(last))
  }

  #tell(call: (handler: InformerHandler<T>) => void): void {
    for (const handler of this.#handlers) this.#call(() => call(handler))
  }

  #call(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#settings.logger.error(error, 'An informer handler failed', { resource: this.#resource.resource })
    }
  }

  #resyncLater(signal: AbortSignal): void {
    const timer = this.#settings.clock.setTimeout(() => {
      for (const object of this.#store.list()) this.#tell((handler) => handler.updated?.(object, object))
      signal.removeEventListener('abort', cancel)
      this.#resyncLater(signal)
    }, this.#settings.resyncSeconds * 1000)
    const cancel = (): void => timer.cancel()
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
  }
}

function metadata(object: unknown): ObjectMeta | undefined {
  return (object as { metadata?: ObjectMeta } | undefined)?.metadata
}
