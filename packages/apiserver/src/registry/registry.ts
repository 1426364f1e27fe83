// The registry: every served resource with its cache, over one storage.
import type { ResourceInfo, ValidationOptions } from '@berth/api'
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
  /** How long events live, where the storage lets them go by itself; an hour when absent. */
  eventTtlSeconds?: number
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
  /** What runtimeOf has found, for as long as no resource comes or goes: plugins ask for the same few several times a request. */
  #byResource = new WeakMap<ResourceInfo, ResourceRuntime>()
  /** By group and resource: the one whose version is stored. */
  readonly #stored = new Map<string, ResourceRuntime>()
  readonly #caches = new Map<string, WatchCache>()
  readonly #hooks = new Map<string, WriteHook[]>()
  readonly #progress = new Set<() => void>()
  /** What is stored of resources that are not served (yet), by key: a custom resource is served only once its definition is read. */
  readonly #unclaimed = new Map<string, CachedObject>()
  readonly #history: HistoryBounds | undefined
  readonly #validation: ValidationOptions
  readonly #eventTtlSeconds: number
  #served = 0
  #revision = 0
  #stop: () => void = () => {}

  constructor(options: RegistryOptions) {
    this.storage = options.storage
    this.now = options.now ?? Date.now
    this.features = options.features ?? defaultFeatures
    this.#history = options.history
    this.#eventTtlSeconds = options.eventTtlSeconds ?? 3600
    this.#validation = { allowPrivileged: options.allowPrivileged ?? false, scaleToZero: this.features.enabled('HPAScaleToZero') }
    for (const definition of options.definitions) this.#register(definition)
  }

  /** Grows whenever a resource comes or goes: what is derived from all of them is derived again. */
  get served(): number {
    return this.#served
  }

  /**
   * Serves a resource from now on, with what is stored of it; one that is served already gets the new definition. The version that is stored comes
   * first, its views after it.
   */
  add(definition: ResourceDefinition): void {
    const isNew = !this.#caches.has(`/registry/${definition.storagePrefix}/`)
    const { cache } = this.#register(definition)
    if (!isNew) return
    const claimed = [...this.#unclaimed.values()].filter(({ key }) => key.startsWith(cache.prefix)).sort((a, b) => (a.key < b.key ? -1 : 1))
    for (const cached of claimed) {
      this.#unclaimed.delete(cached.key)
      cache.load(cached)
    }
    cache.start(this.#revision)
  }

  /** Serves a version of a resource no more. What is stored stays, until somebody serves it again. */
  remove(resource: ResourceInfo): void {
    const id = versionedIdOf(resource)
    const runtime = this.#runtimes.get(id)
    if (!runtime) return
    this.#runtimes.delete(id)
    this.#served++
    this.#byResource = new WeakMap()
    if (this.#stored.get(idOf(resource)) === runtime) this.#stored.delete(idOf(resource))
    if ([...this.#runtimes.values()].some(({ cache }) => cache === runtime.cache)) return
    this.#caches.delete(runtime.cache.prefix)
    for (const cached of runtime.cache.range(runtime.cache.prefix)) this.#unclaimed.set(cached.key, cached)
  }

  #register(definition: ResourceDefinition): ResourceRuntime {
    const prefix = `/registry/${definition.storagePrefix}/`
    const cache = this.#caches.get(prefix) ?? new WatchCache(prefix, this.#history, this.now)
    this.#caches.set(prefix, cache)
    const id = idOf(definition.resource)
    const stored = definition.view && this.#runtimes.get(versionedIdOf(definition.view.of))
    const hooks = this.#hooks.get(id) ?? []
    this.#hooks.set(id, hooks)
    const runtime = new ResourceRuntime(definition, cache, hooks, this.#validation, stored)
    this.#runtimes.set(versionedIdOf(definition.resource), runtime)
    if (!definition.view) this.#stored.set(id, runtime)
    this.#served++
    this.#byResource = new WeakMap()
    return runtime
  }

  /** Reads everything and follows the storage from then on. */
  async start(): Promise<void> {
    const { entries, revision } = await this.storage.load()
    for (const entry of entries) {
      const cache = this.#cacheOf(entry.key)
      if (cache) cache.load(cachedObjectOf(entry))
      else this.#unclaimed.set(entry.key, cachedObjectOf(entry))
    }
    for (const cache of this.#caches.values()) cache.start(revision)
    this.#revision = revision
    this.#stop = this.storage.watch((events, upTo, gap) => this.#apply(events, upTo, gap))
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
    const known = this.#byResource.get(resource)
    if (known) return known
    const found = this.#runtimes.get(versionedIdOf(resource))
    if (!found) throw new Error(`${resource.resource}.${resource.group} is not served`)
    this.#byResource.set(resource, found)
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

  /** As `newest`, for certain: where several servers write, the store is asked. */
  async confirmed(key: string): Promise<CachedObject | undefined> {
    const entry = await this.storage.confirm(key)
    return entry && cachedObjectOf(entry)
  }

  /** Whether a version that was taken for the newest (undefined: for none) is not, since another server has written. From then on `newest` knows better. */
  async isStale(key: string, taken: CachedObject | undefined): Promise<boolean> {
    if (!this.storage.shared) return false
    return (await this.storage.confirm(key))?.modRevision !== taken?.revision
  }

  /** How long objects of a resource live, where the storage sees to that. */
  ttlSeconds(runtime: ResourceRuntime): number | undefined {
    return this.storage.expires ? runtime.definition.ttlSeconds?.({ eventTtlSeconds: this.#eventTtlSeconds }) : undefined
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
    return runtime.cache.follow((event) => {
      if (!event.current) {
        if (event.previous) handler('DELETED', event.previous.object, event.previous.object)
      } else handler(event.previous ? 'MODIFIED' : 'ADDED', event.current.object, event.previous?.object)
    })
  }

  #apply(events: readonly StorageEvent[], upTo: number, gap: boolean): void {
    // What a watcher would have to be told in between is not known: it lists again.
    if (gap) for (const cache of this.#caches.values()) cache.interrupt(upTo)
    for (const event of events) {
      // First the revision: whoever is told of the change may ask for a list at it.
      this.#revision = event.revision
      const cache = this.#cacheOf(event.key)
      if (cache) cache.apply(event)
      else if (event.entry) this.#unclaimed.set(event.key, cachedObjectOf(event.entry))
      else this.#unclaimed.delete(event.key)
    }
    this.#revision = Math.max(this.#revision, upTo)
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
