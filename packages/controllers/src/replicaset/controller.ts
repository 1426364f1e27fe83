import { apps, core, type ResourceInfo } from '@berth/api'
import type { ReplicaSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { errorText, isNotFound, keyOf, labelSelectorMatcher, splitKey, type EventRecorder, type Informer, type WorkQueue } from '@berth/kube'
import { claimObjects, ignore } from '../common/adoption.ts'
import { Expectations } from '../common/expectations.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import { controllerIndex, controllerOf, orphansOf, type ApiObject } from '../common/owners.ts'
import { isPodActive, isPodReady, isPodTerminating } from '../common/pods.ts'
import { slowStartBatch } from '../common/slow-start.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { podsByNode, podsToDelete } from './deletion-rank.ts'
import { setsOf, type ReplicaKind, type Sets } from './kinds.ts'
import { podOf } from './pod-template.ts'
import { nextAvailability, replicaSetStatus, sameStatus, type ManageFailure } from './status.ts'

/** The most pods that one sync creates or deletes. */
const burstReplicas = 500

/** Keeps as many pods as each ReplicaSet wants. */
export const replicaSetController: Controller = replicaController({
  controller: 'replicaset-controller',
  events: 'replicaset-controller',
  queue: 'replicaset',
  resource: apps.replicasets,
  asSet: (set) => set,
  writeStatus: (client, set) => client.update(apps.replicasets, set, { subresource: 'status' }),
})

/** The controller of a kind that keeps so many pods of one template. */
export function replicaController<W extends ApiObject>(kind: ReplicaKind<W>): Controller {
  return {
    name: kind.controller,
    async run(context) {
      const informer = context.informers.for(kind.resource, { indexers: { namespace: (set) => [set.metadata.namespace ?? ''], controller: controllerIndex } })
      const sets = setsOf(kind, informer)
      const pods = context.informers.for(core.pods, { indexers: { controller: controllerIndex } })
      const recorder = context.recorder(kind.events)
      const expectations = new Expectations(context.clock)
      const writeStatus = (set: ReplicaSet): Promise<unknown> => kind.writeStatus(context.client, set)
      const frame = keyedController({
        name: kind.queue, workers: context.settings.concurrentReplicaSetSyncs, context, informers: [informer, pods],
        sync: (key, queue) => sync({ context, resource: kind.resource, writeStatus, sets, pods, recorder, expectations, queue }, key),
      })
      const sources = { resource: kind.resource, sets, pods, queue: frame.queue, expectations }
      const remove = [watchSets(sources), watchPods(sources)]
      await frame.run()
      for (const off of remove) off()
    },
  }
}

interface Sources {
  resource: ResourceInfo<ApiObject>
  sets: Sets
  pods: Informer<Pod>
  queue: WorkQueue
  expectations: Expectations
}

interface Scope extends Sources {
  context: ControllerContext
  writeStatus(set: ReplicaSet): Promise<unknown>
  recorder: EventRecorder
}

function watchSets({ sets, queue, expectations }: Sources): () => void {
  return sets.on({
    added: (set) => queue.add(keyOf(set)),
    updated(old, now) {
      if (old.metadata.uid !== now.metadata.uid) expectations.forget(keyOf(old))
      queue.add(keyOf(now))
    },
    deleted(set) {
      expectations.forget(keyOf(set))
      queue.add(keyOf(set))
    },
  })
}

function watchPods({ resource, sets, pods, queue, expectations }: Sources): () => void {
  const ownerOf = (pod: Pod): string | undefined => {
    const reference = controllerOf(pod)
    if (reference === undefined || reference.kind !== resource.kind) return undefined
    const key = keyOf({ metadata: { name: reference.name, namespace: pod.metadata.namespace } })
    return sets.store.get(key)?.metadata.uid === reference.uid ? key : undefined
  }
  const offerOrphan = (pod: Pod): void => {
    for (const set of sets.store.byIndex('namespace', pod.metadata.namespace ?? '')) if (selects(set)(pod)) queue.add(keyOf(set))
  }
  const gone = (pod: Pod): void => {
    const owner = ownerOf(pod)
    if (owner === undefined) return
    expectations.deletionObserved(owner, keyOf(pod))
    queue.add(owner)
  }
  return pods.on({
    added(pod) {
      if (pod.metadata.deletionTimestamp !== undefined) return gone(pod)
      if (controllerOf(pod) === undefined) return offerOrphan(pod)
      const owner = ownerOf(pod)
      if (owner === undefined) return
      expectations.creationObserved(owner)
      queue.add(owner)
    },
    updated(old, pod) {
      if (old.metadata.resourceVersion === pod.metadata.resourceVersion) return
      if (pod.metadata.deletionTimestamp !== undefined) {
        gone(pod)
        return gone(old)
      }
      const before = ownerOf(old)
      const owner = ownerOf(pod)
      if (before !== undefined && before !== owner) queue.add(before)
      if (owner !== undefined) {
        queue.add(owner)
        const minReady = sets.store.get(owner)?.spec.minReadySeconds ?? 0
        if (minReady > 0 && !isPodReady(old) && isPodReady(pod)) queue.addAfter(owner, (minReady + 1) * 1000)
        return
      }
      if (controllerOf(pod) === undefined) offerOrphan(pod)
    },
    deleted: gone,
  })
}

function selects(set: ReplicaSet): (pod: Pod) => boolean {
  const matches = labelSelectorMatcher(set.spec.selector)
  return (pod) => matches(pod.metadata.labels)
}

async function sync(scope: Scope, key: string): Promise<void> {
  const { context: { client, clock }, sets, pods, expectations, queue } = scope
  const set = sets.store.get(key)
  if (set === undefined) return expectations.forget(key)
  const satisfied = expectations.satisfied(key)
  const ownOrOrphaned = [...pods.store.byIndex('controller', set.metadata.uid ?? ''), ...pods.store.byIndex('controller', orphansOf(splitKey(key).namespace))]
  const claimed = await claimObjects({ client, owner: set, ownerResource: scope.resource, resource: core.pods, objects: ownOrOrphaned.filter(isPodActive), matches: selects(set) })
  const terminating = ownOrOrphaned.filter((pod) => isPodTerminating(pod) && controllerOf(pod)?.uid === set.metadata.uid).length
  let failed: { failure: ManageFailure; cause: unknown } | undefined
  if (satisfied && set.metadata.deletionTimestamp === undefined) failed = await manageReplicas(scope, key, set, claimed)
  const now = clock.now()
  const status = replicaSetStatus(set, claimed, terminating, failed?.failure, now)
  if (!sameStatus(set.status, status)) await scope.writeStatus({ ...set, status }).catch(ignore(isNotFound))
  if (failed !== undefined) throw failed.cause
  const wait = nextAvailability(set, claimed, now)
  if (wait !== undefined) queue.addAfter(key, wait)
}

/** Creates or deletes pods towards `spec.replicas`; gives what went wrong. */
async function manageReplicas(scope: Scope, key: string, set: ReplicaSet, active: readonly Pod[]): Promise<{ failure: ManageFailure; cause: unknown } | undefined> {
  const difference = active.length - (set.spec.replicas ?? 1)
  if (difference === 0) return undefined
  const count = Math.min(Math.abs(difference), burstReplicas)
  const failure = difference < 0 ? await createPods(scope, key, set, count) : await deletePods(scope, key, set, active, count)
  if (failure === undefined) return undefined
  return { failure: { reason: difference < 0 ? 'FailedCreate' : 'FailedDelete', message: errorText(failure.error) }, cause: failure.error }
}

async function createPods({ context: { client }, resource, recorder, expectations }: Scope, key: string, set: ReplicaSet, count: number): Promise<{ error: unknown } | undefined> {
  expectations.expectCreations(key, count)
  const { successes, error } = await slowStartBatch(count, async () => {
    try {
      const pod = await client.create(core.pods, podOf(set, resource))
      recorder.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    } catch (caught) {
      // The namespace goes away, and the set with it: there is nobody to tell.
      if (isNamespaceTerminating(caught)) return
      recorder.event(set, 'Warning', 'FailedCreate', `Error creating: ${errorText(caught)}`)
      throw caught
    }
  })
  if (error === undefined) return undefined
  expectations.creationObserved(key, count - successes)
  return { error }
}

async function deletePods({ context: { client, clock }, sets, pods, recorder, expectations }: Scope, key: string, set: ReplicaSet, active: readonly Pod[], count: number): Promise<{ error: unknown } | undefined> {
  const owner = controllerOf(set)
  const siblings = owner === undefined ? [set] : sets.store.byIndex('controller', owner.uid)
  const related = siblings.flatMap((sibling) => pods.store.byIndex('controller', sibling.metadata.uid ?? '')).filter(isPodActive)
  const doomed = podsToDelete(active, podsByNode(related), count, clock.now())
  expectations.expectDeletions(key, doomed.map(keyOf))
  const results = await Promise.allSettled(doomed.map(async (pod) => {
    try {
      await client.delete(core.pods, pod.metadata.name, { namespace: pod.metadata.namespace, preconditions: { uid: pod.metadata.uid } })
      recorder.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    } catch (error) {
      expectations.deletionObserved(key, keyOf(pod))
      if (isNotFound(error)) return
      recorder.event(set, 'Warning', 'FailedDelete', `Error deleting: ${errorText(error)}`)
      throw error
    }
  }))
  const failed = results.find((result) => result.status === 'rejected')
  return failed === undefined ? undefined : { error: failed.reason }
}
