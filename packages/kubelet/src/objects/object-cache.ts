import type { ResourceInfo } from '@berth/api'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import { isNotFound, type KubeClient, type Logger, sleep, systemClock } from '@berth/kube'
import { messageOf } from '../errors.ts'

interface Named { metadata: ObjectMeta }

/** How changes of referenced objects are learned: a watch for each object, or a GET each time. */
export type ChangeDetection = 'Watch' | 'Cache' | 'Get'

/**
 * ConfigMaps or Secrets that pods of this node refer to. A kubelet may read only those, one by one (the Node authorizer allows a watch only with
 * `fieldSelector=metadata.name=…`), so there is one small watch for each object that is referenced, from the first reference to the last.
 */
export interface ObjectCache<T> {
  /** The object, or undefined where the API has none. Throws where the API cannot be asked. */
  get(namespace: string, name: string): Promise<T | undefined>
  /** Says which objects a pod refers to now; those that no pod refers to any more are forgotten. */
  retain(owner: string, keys: Iterable<string>): void
  release(owner: string): void
}

interface Entry<T> { object: T | undefined; first: Promise<void>; stop: AbortController; failure?: unknown; ready: boolean; fetchedAt: number }

const retryMs = 1000
const maxRetryMs = 30_000
const cacheMs = 60_000

export function createObjectCache<T extends Named>(options: {
  client: KubeClient
  resource: ResourceInfo<T>
  detection: ChangeDetection
  logger: Logger
  signal: AbortSignal
  /** Called when an object that the given owners refer to has changed. */
  changed(owners: string[]): void
}): ObjectCache<T> {
  const { client, resource, logger, detection } = options
  const entries = new Map<string, Entry<T>>()
  const owners = new Map<string, Set<string>>()

  const ask = async (namespace: string, name: string): Promise<T | undefined> => {
    try {
      return await client.get(resource, name, { namespace })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  const follow = async (key: string, entry: Entry<T>, resolveFirst: () => void): Promise<void> => {
    const [namespace = '', name = ''] = key.split('/')
    const signal = AbortSignal.any([options.signal, entry.stop.signal])
    const fieldSelector = `metadata.name=${name}`
    const set = (object: T | undefined): void => {
      const before = entry.object?.metadata.resourceVersion
      const was = entry.ready
      entry.object = object
      entry.ready = true
      entry.failure = undefined
      if (was && before !== object?.metadata.resourceVersion) options.changed([...owners].filter(([, keys]) => keys.has(key)).map(([owner]) => owner))
      resolveFirst()
    }
    let delay = retryMs
    while (!signal.aborted) {
      try {
        const list = await client.list(resource, { namespace, fieldSelector, signal })
        set(list.items[0])
        for await (const event of client.watch(resource, { namespace, fieldSelector, resourceVersion: list.metadata.resourceVersion ?? '', allowWatchBookmarks: false, signal })) {
          if (event.type === 'ERROR') break
          delay = retryMs
          if (event.type === 'DELETED') set(undefined)
          else if (event.type !== 'BOOKMARK') set(event.object)
        }
      } catch (error) {
        if (signal.aborted) return
        entry.failure = error
        resolveFirst()
        logger.v(2).info('Watch of a referenced object failed', { resource: resource.resource, object: key, err: messageOf(error) })
      }
      await sleep(systemClock, delay, signal).catch(() => {})
      delay = Math.min(delay * 2, maxRetryMs)
    }
  }

  const open = (key: string): Entry<T> => {
    let resolveFirst = (): void => {}
    const first = new Promise<void>((resolve) => (resolveFirst = resolve))
    const entry: Entry<T> = { object: undefined, first, stop: new AbortController(), ready: false, fetchedAt: 0 }
    entries.set(key, entry)
    void follow(key, entry, resolveFirst)
    return entry
  }

  return {
    get: async (namespace, name) => {
      const key = `${namespace}/${name}`
      const referenced = [...owners.values()].some((keys) => keys.has(key))
      if (detection === 'Get' || !referenced) return ask(namespace, name)
      if (detection === 'Cache') {
        const entry = entries.get(key)
        if (entry && Date.now() - entry.fetchedAt < cacheMs) return entry.object
        const object = await ask(namespace, name)
        entries.set(key, { object, first: Promise.resolve(), stop: new AbortController(), ready: true, fetchedAt: Date.now() })
        return object
      }
      const entry = entries.get(key) ?? open(key)
      await entry.first
      // A watch may lag behind the pod that needs the object: before "not found" is said, the API is asked itself.
      if (!entry.ready || entry.object === undefined) return ask(namespace, name)
      return entry.object
    },
    retain: (owner, keys) => {
      owners.set(owner, new Set(keys))
      drop()
    },
    release: (owner) => {
      owners.delete(owner)
      drop()
    },
  }

  function drop(): void {
    const wanted = new Set([...owners.values()].flatMap((keys) => [...keys]))
    for (const [key, entry] of entries) {
      if (wanted.has(key)) continue
      entry.stop.abort()
      entries.delete(key)
    }
  }
}
