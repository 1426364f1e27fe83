import { isDeepStrictEqual } from 'node:util'
import type { ResourceInfo } from '@berth/api'
import type { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'
import type { EventObjects } from '../framework/plugin.ts'
import type { ClusterEvent } from '../queue/events.ts'
import { nodeEvents } from './node-events.ts'

export interface DerivedEvent {
  readonly event: ClusterEvent
  readonly objects: EventObjects
}

/**
 * What a change means for pods that fit nowhere. To be asked before the cache takes the change in: it knows what was there
 * before. `kinds` names the resources of object changes.
 */
export function eventsOf(change: Change, cache: Cache, kinds: ReadonlyMap<string, ResourceInfo>): DerivedEvent[] {
  switch (change.type) {
    case 'node-set': {
      const { node: now } = change
      const old = cache.node(now.metadata.name)?.node
      return old ? nodeEvents(old, now).map((event) => ({ event, objects: { old, now } })) : [{ event: 'NodeAdded', objects: { now } }]
    }
    case 'node-gone': return [{ event: 'NodeDeleted', objects: { old: cache.node(change.name)?.node } }]
    case 'pod-set': {
      const { pod: now } = change
      const key = `${now.metadata.namespace ?? 'default'}/${now.metadata.name}`
      const old = placed(cache, key)
      return !old || cache.isAssumed(key) ? [{ event: 'AssignedPodAdded', objects: { now } }] : [{ event: 'AssignedPodUpdated', objects: { old, now } }]
    }
    case 'pod-gone': return cache.placeOf(change.key) === undefined ? [] : [{ event: 'AssignedPodDeleted', objects: { old: placed(cache, change.key) } }]
    case 'namespace-set': {
      const { name, labels } = change
      const before = cache.namespaceLabels(name)
      return isDeepStrictEqual(before, labels) ? [] : [{ event: 'NamespaceChanged', objects: { old: { metadata: { name, labels: before } }, now: { metadata: { name, labels } } } }]
    }
    case 'object-set': {
      const resource = kinds.get(change.resource)
      if (!resource) return []
      const { name, namespace } = change.object.metadata
      const old = cache.objects(resource).get(namespace ? `${namespace}/${name}` : name)
      return [{ event: old ? `${resource.kind}Updated` : `${resource.kind}Added`, objects: { ...(old ? { old } : {}), now: change.object } }]
    }
    case 'object-gone': {
      const resource = kinds.get(change.resource)
      return resource ? [{ event: `${resource.kind}Deleted`, objects: { old: cache.objects(resource).get(change.key) } }] : []
    }
    default: return []
  }
}

function placed(cache: Cache, key: string): unknown {
  const node = cache.placeOf(key)
  return node === undefined ? undefined : cache.node(node)?.pods.get(key)?.pod
}
