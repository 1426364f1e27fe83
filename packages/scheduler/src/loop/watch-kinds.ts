import type { ResourceInfo } from '@berth/api'
import { keyOf, type Informers } from '@berth/kube'
import { resourceKey, type KubernetesObject } from '../framework/resource-key.ts'
import { projectionOf } from '../plugins/projections.ts'
import type { FeedSink } from './feed.ts'

/** Follows a kind that has no change of its own: each object goes into the cache, and its coming, changing and going is an event. */
export function connectKind(informers: Informers, resource: ResourceInfo, sink: FeedSink): void {
  const key = resourceKey(resource)
  const { kind } = resource
  informers.for(resource as ResourceInfo<KubernetesObject>, { project: projectionOf(resource) }).on({
    added(object) {
      sink.change({ type: 'object-set', resource: key, object })
      sink.event(`${kind}Added`, { now: object })
    },
    updated(old, object) {
      sink.change({ type: 'object-set', resource: key, object })
      sink.event(`${kind}Updated`, { old, now: object })
    },
    deleted(object) {
      sink.change({ type: 'object-gone', resource: key, key: keyOf(object) })
      sink.event(`${kind}Deleted`, { old: object })
    },
  })
}
