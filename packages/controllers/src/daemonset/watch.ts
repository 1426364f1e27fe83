import type { ControllerRevision, DaemonSet } from '@berth/api/types/apps/v1'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { keyOf, labelSelectorMatcher, type Informer, type WorkQueue } from '@berth/kube'
import type { Expectations } from '../common/expectations.ts'
import { canonicalJson } from '../common/hash.ts'
import { controllerOf, type ApiObject } from '../common/owners.ts'
import { isPodReady } from '../common/pods.ts'
import { nodeVerdicts } from './plan.ts'

interface Sources {
  sets: Informer<DaemonSet>
  pods: Informer<Pod>
  nodes: Informer<Node>
  revisions: Informer<ControllerRevision>
  queue: WorkQueue
  expectations: Expectations
}

/** Brings each set's key into the queue when something of it changes; gives what ends that. */
export function watchDaemons({ sets, pods, nodes, revisions, queue, expectations }: Sources): (() => void)[] {
  const ownerOf = (object: ApiObject): string | undefined => {
    const reference = controllerOf(object)
    if (reference?.kind !== 'DaemonSet') return undefined
    const key = `${object.metadata.namespace ?? ''}/${reference.name}`
    return sets.store.get(key)?.metadata.uid === reference.uid ? key : undefined
  }
  const offer = (object: ApiObject): void => {
    for (const set of sets.store.list()) {
      if (set.metadata.namespace === object.metadata.namespace && labelSelectorMatcher(set.spec.selector)(object.metadata.labels)) queue.add(keyOf(set))
    }
  }
  const enqueueOwner = (object: ApiObject): void => {
    const owner = ownerOf(object)
    if (owner !== undefined) queue.add(owner)
    else if (controllerOf(object) === undefined && object.metadata.deletionTimestamp === undefined) offer(object)
  }
  const gone = (pod: Pod): void => {
    const owner = ownerOf(pod)
    if (owner === undefined) return
    expectations.deletionObserved(owner, keyOf(pod))
    queue.add(owner)
  }
  return [
    sets.on({
      added: (set) => queue.add(keyOf(set)),
      updated(old, now) {
        if (old.metadata.uid !== now.metadata.uid) expectations.forget(keyOf(old))
        queue.add(keyOf(now))
      },
      deleted(set) {
        expectations.forget(keyOf(set))
        queue.add(keyOf(set))
      },
    }),
    pods.on({
      added(pod) {
        if (pod.metadata.deletionTimestamp !== undefined) return gone(pod)
        const owner = ownerOf(pod)
        if (owner !== undefined) expectations.creationObserved(owner)
        enqueueOwner(pod)
      },
      updated(old, pod) {
        if (old.metadata.resourceVersion === pod.metadata.resourceVersion) return
        if (pod.metadata.deletionTimestamp !== undefined) return gone(pod)
        const before = ownerOf(old)
        const owner = ownerOf(pod)
        if (before !== undefined && before !== owner) queue.add(before)
        enqueueOwner(pod)
        const minReady = owner === undefined ? 0 : sets.store.get(owner)?.spec.minReadySeconds ?? 0
        if (owner !== undefined && minReady > 0 && !isPodReady(old) && isPodReady(pod)) queue.addAfter(owner, (minReady + 1) * 1000)
      },
      deleted: gone,
    }),
    revisions.on({ added: enqueueOwner, updated: (_old, now) => enqueueOwner(now), deleted: enqueueOwner }),
    nodes.on({
      added(node) {
        for (const set of sets.store.list()) if (nodeVerdicts(set)(node).run) queue.add(keyOf(set))
      },
      updated(old, now) {
        if (canonicalJson(old.metadata.labels) === canonicalJson(now.metadata.labels) && canonicalJson(old.spec?.taints) === canonicalJson(now.spec?.taints)) return
        for (const set of sets.store.list()) {
          const verdict = nodeVerdicts(set)
          const [before, after] = [verdict(old), verdict(now)]
          if (before.run !== after.run || before.keep !== after.keep) queue.add(keyOf(set))
        }
      },
      deleted() {
        for (const set of sets.store.list()) queue.add(keyOf(set))
      },
    }),
  ]
}
