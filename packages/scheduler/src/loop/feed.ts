import { apps, core, type ResourceInfo } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { LabelSelector, ObjectMeta } from '@berth/api/types/meta/v1'
import { keyOf, type Informers } from '@berth/kube'
import type { Change } from '../cache/changes.ts'
import type { EventObjects } from '../framework/plugin.ts'
import type { ClusterEvent } from '../queue/events.ts'
import { nodeEvents } from './node-events.ts'
import { projectNode, projectPod } from './project.ts'

/** What the feed tells the scheduler. */
export interface FeedSink {
  /** The cluster changed. */
  change(change: Change): void
  /** Something happened that may help pods that fit nowhere. */
  event(event: ClusterEvent, objects: EventObjects): void
  /** A pod without a node is there, or has changed from `old`. */
  waiting(pod: Pod, old?: Pod): void
  /** A pod waits no longer: it has a node, or is gone. */
  settled(key: string): void
}

/** Owners that say by their selector which pods belong together. */
interface Owner { metadata: ObjectMeta; spec: { selector?: LabelSelector } }

function projectOwner<T extends Owner>(owner: T): T {
  const { name, namespace, uid, resourceVersion } = owner.metadata
  return { metadata: { name, namespace, uid, resourceVersion }, spec: { selector: owner.spec.selector } } as T
}

/** Turns informers into the one stream of changes that the cache and the queue live on. */
export function connectFeed(informers: Informers, sink: FeedSink): void {
  informers.for(core.nodes, { project: projectNode }).on({
    added(node) {
      sink.change({ type: 'node-set', node })
      sink.event('NodeAdded', { now: node })
    },
    updated(old, node) {
      sink.change({ type: 'node-set', node })
      for (const event of nodeEvents(old, node)) sink.event(event, { old, now: node })
    },
    deleted(node) {
      sink.change({ type: 'node-gone', name: node.metadata.name })
      sink.event('NodeDeleted', { old: node })
    },
  })
  informers.for(core.namespaces).on({
    added: (namespace) => sink.change({ type: 'namespace-set', name: namespace.metadata.name, labels: namespace.metadata.labels ?? {} }),
    updated(old, namespace) {
      sink.change({ type: 'namespace-set', name: namespace.metadata.name, labels: namespace.metadata.labels ?? {} })
      if (JSON.stringify(old.metadata.labels) !== JSON.stringify(namespace.metadata.labels)) sink.event('NamespaceChanged', { old, now: namespace })
    },
    deleted: (namespace) => sink.change({ type: 'namespace-gone', name: namespace.metadata.name }),
  })
  informers.for(core.services).on({
    added: (service) => sink.change({ type: 'service-set', service }),
    updated: (_, service) => sink.change({ type: 'service-set', service }),
    deleted: (service) => sink.change({ type: 'service-gone', key: keyOf(service) }),
  })
  connectOwner(informers, apps.replicasets, 'ReplicaSet', sink)
  connectPods(informers, sink)
}

function connectOwner<T extends Owner>(informers: Informers, resource: ResourceInfo<T>, kind: string, sink: FeedSink): void {
  const set = (owner: T): void => {
    if (owner.spec.selector) sink.change({ type: 'owner-set', kind, key: keyOf(owner), selector: owner.spec.selector })
  }
  informers.for(resource, { project: projectOwner }).on({ added: set, updated: (_, owner) => set(owner), deleted: (owner) => sink.change({ type: 'owner-gone', kind, key: keyOf(owner) }) })
}

function connectPods(informers: Informers, sink: FeedSink): void {
  informers.for(core.pods, { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed', project: projectPod }).on({
    added(pod) {
      if (!pod.spec.nodeName) return sink.waiting(pod)
      sink.change({ type: 'pod-set', pod })
      sink.event('AssignedPodAdded', { now: pod })
    },
    updated(old, pod) {
      if (!pod.spec.nodeName) return sink.waiting(pod, old)
      if (!old.spec.nodeName) sink.settled(keyOf(pod))
      sink.change({ type: 'pod-set', pod })
      sink.event(old.spec.nodeName ? 'AssignedPodUpdated' : 'AssignedPodAdded', { old, now: pod })
    },
    deleted(pod) {
      sink.settled(keyOf(pod))
      sink.change({ type: 'pod-gone', key: keyOf(pod) })
      if (pod.spec.nodeName) sink.event('AssignedPodDeleted', { old: pod })
    },
  })
}
