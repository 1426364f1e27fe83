import { apps, core, policy, type ResourceInfo } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { keyOf, type Informers } from '@berth/kube'
import type { Change } from '../cache/changes.ts'
import type { KubernetesObject } from '../framework/resource-key.ts'
import { withoutManagedFields } from '../plugins/projections.ts'
import { projectBudget, projectController, projectNamespace, projectNode, projectOwner, projectPod, projectService } from './project.ts'
import { followThinly } from './thin-informer.ts'

/** What the feed tells: a cache, a queue or an explanation lives on nothing else. What an object was before is for who is told to know. */
export interface FeedSink {
  /** The cluster changed. A pod that is gone may have had a node or not. */
  change(change: Change): void
  /** A pod without a node is there, or has changed. */
  waiting(pod: Pod): void
  /** A pod waits no longer: it has a node, or is gone. */
  settled(key: string): void
}

/**
 * Turns informers into the one stream of changes that the cache and the queue live on: what every API server serves.
 * `whole`: pods and nodes are told as they are, for somebody (an extender) who may read any of it.
 */
export function connectFeed(informers: Informers, sink: FeedSink, { whole = false }: { readonly whole?: boolean } = {}): void {
  followThinly(informers, core.nodes, { project: whole ? withoutManagedFields : projectNode }, {
    set: (node) => sink.change({ type: 'node-set', node }),
    gone: (name) => sink.change({ type: 'node-gone', name }),
  })
  followThinly(informers, core.namespaces, { project: projectNamespace }, {
    set: ({ metadata: { name, labels = {} } }) => sink.change({ type: 'namespace-set', name, labels }),
    gone: (name) => sink.change({ type: 'namespace-gone', name }),
  })
  followThinly(informers, core.services, { project: projectService }, {
    set: (service) => sink.change({ type: 'service-set', service }),
    gone: (key) => sink.change({ type: 'service-gone', key }),
  })
  const waiting = new Set<string>()
  followThinly(informers, core.pods, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed', project: whole ? withoutManagedFields : projectPod }, {
    set(pod) {
      const key = keyOf(pod)
      if (!pod.spec.nodeName) {
        waiting.add(key)
        return sink.waiting(pod)
      }
      if (waiting.delete(key)) sink.settled(key)
      sink.change({ type: 'pod-set', pod })
    },
    gone(key) {
      waiting.delete(key)
      sink.settled(key)
      sink.change({ type: 'pod-gone', key })
    },
  })
}

type Connect = (informers: Informers, sink: FeedSink) => void

/** Owners that say by their selector which pods belong together. */
interface Owner extends KubernetesObject { spec: { selector?: LabelSelector } }

const owner = <T extends Owner>(resource: ResourceInfo<T>): Connect => (informers, sink) => {
  const { kind } = resource
  followThinly(informers, resource, { project: projectOwner }, {
    set({ metadata: { namespace, name }, spec: { selector } }) {
      if (selector) sink.change({ type: 'owner-set', kind, key: `${namespace ?? ''}/${name}`, selector })
    },
    gone: (key) => sink.change({ type: 'owner-gone', kind, key }),
  })
}

/** The kinds that have changes of their own and that not every API server serves. */
const feedKinds: ReadonlyArray<readonly [ResourceInfo, Connect]> = [
  [apps.replicasets, owner(apps.replicasets)],
  [apps.statefulsets, owner(apps.statefulsets)],
  [core.replicationcontrollers, (informers, sink) => followThinly(informers, core.replicationcontrollers, { project: projectController }, {
    set({ metadata: { namespace, name }, spec }) {
      if (spec?.selector) sink.change({ type: 'owner-set', kind: 'ReplicationController', key: `${namespace ?? ''}/${name}`, selector: { matchLabels: spec.selector } })
    },
    gone: (key) => sink.change({ type: 'owner-gone', kind: 'ReplicationController', key }),
  })],
  [policy.poddisruptionbudgets, (informers, sink) => followThinly<PodDisruptionBudget>(informers, policy.poddisruptionbudgets, { project: projectBudget }, {
    set: (budget) => sink.change({ type: 'budget-set', budget }),
    gone: (key) => sink.change({ type: 'budget-gone', key }),
  })],
]

/** What {@link connectKind} follows for every scheduler, where it is served. */
export const feedResources: readonly ResourceInfo[] = feedKinds.map(([resource]) => resource)

/** How a kind with a change of its own is followed; undefined for any other. */
export function feedOf(resource: ResourceInfo): Connect | undefined {
  return feedKinds.find(([own]) => own === resource)?.[1]
}
