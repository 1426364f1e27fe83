import { apps, core } from '@berth/api'
import type { ControllerRevision, StatefulSet } from '@berth/api/types/apps/v1'
import type { PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { isNotFound, keyOf, labelSelectorMatcher, splitKey, type EventRecorder, type Informer, type WorkQueue } from '@berth/kube'
import { claimObjects, ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { controllerIndex, controllerOf, orphansOf, type ApiObject } from '../common/owners.ts'
import { isPodReady } from '../common/pods.ts'
import { templateOf } from '../common/revisions.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { createReplica, deleteReplica, repairReplica, type Hands } from './carry-out.ts'
import { currentRevisions, truncateHistory, type Revisions } from './history.ts'
import { inRange, isMember, podFor } from './identity.ts'
import { planSteps, sameStatefulStatus, statefulSetStatus, type StatefulView, type Step } from './plan.ts'

/** Keeps the pods of each StatefulSet, every one under a name, and with claims, of its own. */
export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  async run(context) {
    const sets = context.informers.for(apps.statefulsets)
    const pods = context.informers.for(core.pods, { indexers: { controller: controllerIndex } })
    const claims = context.informers.for(core.persistentvolumeclaims)
    const revisions = context.informers.for(apps.controllerrevisions, { indexers: { controller: controllerIndex } })
    const recorder = context.recorder('statefulset-controller')
    const frame = keyedController({
      name: 'statefulset', workers: 5, context, informers: [sets, pods, claims, revisions],
      sync: (key, queue) => sync({ context, sets, pods, claims, revisions, recorder, queue }, key),
    })
    const remove = watch({ sets, pods, queue: frame.queue })
    await frame.run()
    for (const off of remove) off()
  },
}

interface Scope {
  context: ControllerContext
  sets: Informer<StatefulSet>
  pods: Informer<Pod>
  claims: Informer<PersistentVolumeClaim>
  revisions: Informer<ControllerRevision>
  recorder: EventRecorder
  queue: WorkQueue
}

function watch({ sets, pods, queue }: Pick<Scope, 'sets' | 'pods' | 'queue'>): (() => void)[] {
  const enqueue = (set: StatefulSet): void => queue.add(keyOf(set))
  const ownerOf = (object: ApiObject): string | undefined => {
    const reference = controllerOf(object)
    if (reference?.kind !== 'StatefulSet') return undefined
    const key = `${object.metadata.namespace ?? ''}/${reference.name}`
    return sets.store.get(key)?.metadata.uid === reference.uid ? key : undefined
  }
  const enqueueOwner = (pod: Pod): void => {
    const owner = ownerOf(pod)
    if (owner !== undefined) return queue.add(owner)
    if (controllerOf(pod) !== undefined) return
    for (const set of sets.store.list()) if (set.metadata.namespace === pod.metadata.namespace && isMember(set, pod) && labelSelectorMatcher(set.spec.selector)(pod.metadata.labels)) enqueue(set)
  }
  return [
    sets.on({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue }),
    pods.on({
      added: enqueueOwner,
      updated(old, pod) {
        if (old.metadata.resourceVersion === pod.metadata.resourceVersion) return
        if (ownerOf(old) !== ownerOf(pod)) enqueueOwner(old)
        enqueueOwner(pod)
        const owner = ownerOf(pod)
        const minReady = owner === undefined ? 0 : sets.store.get(owner)?.spec.minReadySeconds ?? 0
        if (owner !== undefined && minReady > 0 && !isPodReady(old) && isPodReady(pod)) queue.addAfter(owner, (minReady + 1) * 1000)
      },
      deleted: enqueueOwner,
    }),
  ]
}

async function sync(scope: Scope, key: string): Promise<void> {
  const { context: { client, clock, settings }, sets, pods, revisions } = scope
  const set = sets.store.get(key)
  if (set === undefined) return
  const { namespace } = splitKey(key)
  const ownOrOrphaned = <T>(informer: Informer<T>): T[] => [...informer.store.byIndex('controller', set.metadata.uid ?? ''), ...informer.store.byIndex('controller', orphansOf(namespace))]
  const selects = labelSelectorMatcher(set.spec.selector)
  const owned = { client, owner: set, ownerResource: apps.statefulsets }
  const history = await claimObjects({ ...owned, resource: apps.controllerrevisions, objects: ownOrOrphaned(revisions), matches: (revision) => selects(revision.metadata.labels) })
  const members = await claimObjects({ ...owned, resource: core.pods, objects: ownOrOrphaned(pods), matches: (pod) => selects(pod.metadata.labels) && isMember(set, pod) })
  const found = await currentRevisions(client, set, history)
  const view: StatefulView = { set, pods: members, currentRevision: found.current.metadata.name, updateRevision: found.update.metadata.name, now: clock.now(), severalAtOnce: settings.features.enabled('MaxUnavailableStatefulSet') }
  let failure: unknown
  try {
    await takeSteps(scope, view, found)
  } catch (error) {
    failure = error
  }
  const status = statefulSetStatus(view, found.collisionCount)
  if (!sameStatefulStatus(set.status, status)) await client.update(apps.statefulsets, { ...set, status }, { subresource: 'status' }).catch(ignore(isNotFound))
  if (failure !== undefined) throw failure
  await truncateHistory(client, set, history, found, members)
  const minReady = set.spec.minReadySeconds ?? 0
  if (minReady > 0 && (status.readyReplicas ?? 0) !== (status.availableReplicas ?? 0)) scope.queue.addAfter(key, minReady * 1000)
}

async function takeSteps(scope: Scope, view: StatefulView, { current }: Revisions): Promise<void> {
  const { set } = view
  const { context: { client }, recorder, claims, queue } = scope
  const hands: Hands = { client, recorder, claims }
  const before: StatefulSet = { ...set, spec: { ...set.spec, template: templateOf(current) ?? set.spec.template } }
  const take = async (step: Step): Promise<void> => {
    if (step.kind === 'repair') return repairReplica(hands, set, step.pod)
    if (step.kind === 'delete') {
      if (step.why === 'over') tellOfRecreation(recorder, set, step.pod)
      return deleteReplica(hands, set, step.pod)
    }
    const pod = step.current ? podFor(before, step.ordinal, view.currentRevision) : podFor(set, step.ordinal, view.updateRevision)
    if (!await createReplica(hands, set, pod)) queue.addAfter(keyOf(set), 1_000)
  }
  const steps = planSteps(view)
  // Pods scaled away whose end is awaited have claims, too, that are to go with them.
  const condemned = view.pods.filter((pod) => !inRange(set, pod) && !steps.some((step) => step.kind !== 'create' && step.pod === pod))
  if (set.metadata.deletionTimestamp === undefined) steps.push(...condemned.map((pod): Step => ({ kind: 'repair', pod })))
  if (set.spec.podManagementPolicy !== 'Parallel') {
    for (const step of steps) await take(step)
    return
  }
  const results = await Promise.allSettled(steps.map(take))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function tellOfRecreation(recorder: EventRecorder, set: StatefulSet, pod: Pod): void {
  const { namespace, name } = set.metadata
  if (pod.status?.phase === 'Failed') recorder.event(set, 'Warning', 'RecreatingFailedPod', `StatefulSet ${namespace}/${name} is recreating failed Pod ${pod.metadata.name}`)
  else recorder.event(set, 'Normal', 'RecreatingTerminatedPod', `StatefulSet ${namespace}/${name} is recreating terminated Pod ${pod.metadata.name}`)
}
