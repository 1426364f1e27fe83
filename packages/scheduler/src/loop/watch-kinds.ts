import type { ResourceInfo } from '@berth/api'
import type { Informers } from '@berth/kube'
import { resourceKey, type KubernetesObject } from '../framework/resource-key.ts'
import { projectionOf } from '../plugins/projections.ts'
import { feedOf, type FeedSink } from './feed.ts'
import { followThinly } from './thin-informer.ts'

/** Follows a kind that not every API server serves: as the change it has of its own, else as an object of the cache. */
export function connectKind(informers: Informers, resource: ResourceInfo, sink: FeedSink): void {
  const own = feedOf(resource)
  if (own) return own(informers, sink)
  const key = resourceKey(resource)
  followThinly(informers, resource as ResourceInfo<KubernetesObject>, { project: projectionOf(resource) }, {
    set: (object) => sink.change({ type: 'object-set', resource: key, object }),
    gone: (name) => sink.change({ type: 'object-gone', resource: key, key: name }),
  })
}
