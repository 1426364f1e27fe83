// The registry: every served resource with its cache, over one storage.
import type { ResourceInfo } from '@berth/api'
import { defaultFeatures } from '../features.ts'
import type { Features } from '../features.ts'
import type { ApiObject, ChangeType, WriteHook } from '../interfaces.ts'
import type { Storage, StorageEvent } from '../storage/storage.ts'
import { cachedObjectOf } from './cached-object.ts'
import type { CachedObject } from './cached-object.ts'
import type { ResourceDefinition } from './definition.ts'
import { ResourceRuntime } from './resource-runtime.ts'
import type { HistoryBounds } from './watch-cache.ts'
import { WatchCache } from './watch-cache.ts'

export interface RegistryOptions {
  storage: Storage
  definitions: readonly ResourceDefinition[]
  /** Bounds of each resource's history; small ones in tests. */
  history?: HistoryBounds
  now?(): number
  /** Whether pods may have privileged containers (--allow-privileged); false when absent, as upstream. */
  allowPrivileged?: boolean
  /** Upstream's defaults when absent. */
  features?: Features
}

/** What runs over all resources: storage, caches, the newest revision. */
export class Registry {
  readonly storage: Storage
  readonly now: () => number
  readonly features: Features
  /** By group, version and resource. */
  readonly #runtimes = new Map<string, ResourceRuntime>()
  /** By group and resource: the one whose version is stored. */
  readonly #stored = new Map<string, ResourceRuntime>()
  readonly #caches = new Map<string, WatchCache>()
  readonly #hooks = new Map<string, WriteHook[]>()
  readonly #progress = new Set<() => void>()
  #revision = 0
  #stop: () => void = () => {}

  constructor(options: RegistryOptions) {
    this.storage = options.storage
    this.now = options.now ?? Date.now
    this.features = options.features ?? defaultFeatures
    for (const definition of options.definitions) {
      const prefix = `/registry/${definition.storagePrefix}/`
      const cache = this.#caches.get(prefix) ?? new WatchCache(prefix, options.history, this.now)
      this.#caches.set(prefix, cache)
      const id = idOf(definition.resource)
      const stored = definition.view && this.#runtimes.get(versionedIdOf(definition.view.of))
      const hooks = this.#hooks.get(id) ?? []
      this.#hooks.set(id, hooks)
      const runtime = new ResourceRuntime(definition, cache, hooks, { allowPrivileged: options.allowPrivileged ?? false }, stored)
      this.#runtimes.set(versionedIdOf(definition.resource), runtime)
      if (!this.#stored.has(id)) this.#stored.set(id, runtime)
    }
  }

  /** Reads everything and follows the storage from then on. */
  async start(): Promise<void> {
    const { entries, revision } = await this.storage.load()
    for (const entry of entries) this.#cacheOf(entry.key)?.load(cachedObjectOf(entry))
    for (const cache of this.#caches.values()) cache.start(revision)
    this.#revision = revision
    this.#stop = this.storage.watch((events) => this.#apply(events))
  }

  stop(): void {
    this.#stop()
  }

  /** The newest committed revision that the caches show. */
  get revision(): number {
    return this.#revision
  }

  /** The runtime of a served resource, in the version that is stored unless one is named. */
  runtime(group: string, resource: string, version?: string): ResourceRuntime | undefined {
    return version === undefined ? this.#stored.get(`${group}/${resource}`) : this.#runtimes.get(`${group}/${version}/${resource}`)
  }

  /** As `runtime`, for resources that are known to be served; throws otherwise. */
  runtimeOf(resource: ResourceInfo): ResourceRuntime {
    const found = this.#runtimes.get(versionedIdOf(resource))
    if (!found) throw new Error(`${resource.resource}.${resource.group} is not served`)
    return found
  }

  runtimes(): Iterable<ResourceRuntime> {
    return this.#runtimes.values()
  }

  addHook(hook: WriteHook): void {
    const hooks = this.#hooks.get(`${hook.group}/${hook.resource}`)
    if (!hooks) throw new Error(`a write hook names ${hook.resource}.${hook.group}, which is not served`)
    hooks.push(hook)
  }

  /** The newest version, writes in flight included: what an update is built on. */
  async newest(key: string): Promise<CachedObject | undefined> {
    const entry = await this.storage.current(key)
    return entry && cachedObjectOf(entry)
  }

  /** Calls back once the caches have reached a revision. */
  waitForRevision(revision: number, signal: AbortSignal): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (this.#revision < revision) return
        this.#progress.delete(check)
        resolve()
      }
      this.#progress.add(check)
      signal.addEventListener('abort', () => {
        this.#progress.delete(check)
        reject(signal.reason as Error)
      }, { once: true })
    })
  }

  /** Current objects, then every change. */
  onChange(runtime: ResourceRuntime, handler: (type: ChangeType, object: ApiObject, old: ApiObject | undefined) => void): () => void {
    for (const cached of runtime.cache.range(runtime.cache.prefix)) handler('ADDED', cached.object, undefined)
    return runtime.cache.subscribe(this.#revision, (event) => {
      if (!event.current) {
        if (event.previous) handler('DELETED', event.previous.object, event.previous.object)
      } else handler(event.previous ? 'MODIFIED' : 'ADDED', event.current.object, event.previous?.object)
    })
  }

  #apply(events: readonly StorageEvent[]): void {
    for (const event of events) {
      // First the revision: whoever is told of the change may ask for a list at it.
      this.#revision = event.revision
      this.#cacheOf(event.key)?.apply(event)
    }
    for (const check of this.#progress) check()
  }

  #cacheOf(key: string): WatchCache | undefined {
    // /registry/<a>/... or /registry/<a>/<b>/...: the longest prefix that is known.
    const first = key.indexOf('/', '/registry/'.length)
    const second = key.indexOf('/', first + 1)
    return (second > 0 ? this.#caches.get(key.slice(0, second + 1)) : undefined) ?? this.#caches.get(key.slice(0, first + 1))
  }
}

function versionedIdOf({ group, version, resource }: Pick<ResourceInfo, 'group' | 'version' | 'resource'>): string {
  return `${group}/${version}/${resource}`
}

function idOf(resource: Pick<ResourceInfo, 'group' | 'resource'>): string {
  return `${resource.group}/${resource.resource}`
}
