import { apps, core } from '@berth/api'
import type { ControllerRevision, DaemonSet } from '@berth/api/types/apps/v1'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { errorText, isConflict, isNotFound, keyOf, labelSelectorMatcher, splitKey, type EventRecorder, type Informer, type WorkQueue } from '@berth/kube'
import { claimObjects, ignore } from '../common/adoption.ts'
import { Expectations } from '../common/expectations.ts'
import { canonicalJson } from '../common/hash.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import { controllerIndex, orphansOf } from '../common/owners.ts'
import { slowStartBatch } from '../common/slow-start.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { FailedPodBackoff } from './failed-pods.ts'
import { cleanUpHistory, constructHistory } from './history.ts'
import { daemonSetStatus, placePods, rollPods, sameDaemonStatus, viewOf, type DaemonPlan, type DaemonView } from './plan.ts'
import { hashLabel, podFor } from './pod-template.ts'
import { watchDaemons } from './watch.ts'

/** The most pods that one round creates or deletes. */
const burst = 250

/** Keeps one pod of each DaemonSet on every node that takes it. */
export const daemonSetController: Controller = {
  name: 'daemonset-controller',
  async run(context) {
    const sets = context.informers.for(apps.daemonsets)
    const pods = context.informers.for(core.pods, { indexers: { controller: controllerIndex } })
    const nodes = context.informers.for(core.nodes)
    const revisions = context.informers.for(apps.controllerrevisions, { indexers: { controller: controllerIndex } })
    const expectations = new Expectations(context.clock)
    const recorder = context.recorder('daemonset-controller')
    const backoff = new FailedPodBackoff(context.clock)
    const frame = keyedController({
      name: 'daemonset', workers: 2, context, informers: [sets, pods, nodes, revisions],
      sync: (key, queue) => sync({ context, sets, pods, nodes, revisions, recorder, expectations, backoff, queue }, key),
    })
    const remove = watchDaemons({ sets, pods, nodes, revisions, queue: frame.queue, expectations })
    await frame.run()
    for (const off of remove) off()
  },
}

interface Scope {
  context: ControllerContext
  sets: Informer<DaemonSet>
  pods: Informer<Pod>
  nodes: Informer<Node>
  revisions: Informer<ControllerRevision>
  recorder: EventRecorder
  expectations: Expectations
  backoff: FailedPodBackoff
  queue: WorkQueue
}

async function sync(scope: Scope, key: string): Promise<void> {
  const { context: { client }, sets, nodes, pods, revisions, recorder, expectations } = scope
  const set = sets.store.get(key)
  if (set === undefined) return expectations.forget(key)
  if (canonicalJson(set.spec.selector) === '{}') {
    recorder.event(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
    return
  }
  if (set.metadata.deletionTimestamp !== undefined) return
  const { namespace } = splitKey(key)
  const ownOrOrphaned = <T>(informer: Informer<T>): T[] => [...informer.store.byIndex('controller', set.metadata.uid ?? ''), ...informer.store.byIndex('controller', orphansOf(namespace))]
  const history = await constructHistory(client, set, ownOrOrphaned(revisions))
  const hash = history.current.metadata.labels?.[hashLabel] ?? ''
  const matches = labelSelectorMatcher(set.spec.selector)
  const claim = (): Promise<Pod[]> => claimObjects({ client, owner: set, ownerResource: apps.daemonsets, resource: core.pods, objects: ownOrOrphaned(pods), matches: (pod) => matches(pod.metadata.labels) })
  const look = async (): Promise<DaemonView> => viewOf(set, nodes.store.list(), await claim(), hash, scope.context.clock.now())
  const view = await look()
  let failure: unknown
  if (expectations.satisfied(key)) {
    failure = await attempt(async () => {
      await carryOut(scope, key, set, placePods(view, (pod) => mayReplace(scope, key, set, pod)), hash)
      if (expectations.satisfied(key) && set.spec.updateStrategy?.type !== 'OnDelete') await carryOut(scope, key, set, rollPods(await look()), hash)
      await cleanUpHistory(client, set, history.old, [...view.podsOf.values()].flat())
    })
  }
  const status = daemonSetStatus(view)
  if (!sameDaemonStatus(set.status, status)) await client.update(apps.daemonsets, { ...set, status }, { subresource: 'status' }).catch(ignore(isNotFound))
  if (failure !== undefined) throw failure
  const minReady = set.spec.minReadySeconds ?? 0
  if (minReady > 0 && status.numberReady !== status.numberAvailable) scope.queue.addAfter(key, minReady * 1000)
}

async function attempt(act: () => Promise<void>): Promise<unknown> {
  try {
    await act()
    return undefined
  } catch (error) {
    return error
  }
}

/** Whether a pod that is over may be deleted now. */
function mayReplace({ backoff, recorder, queue }: Scope, key: string, set: DaemonSet, pod: Pod): boolean {
  const { namespace, name } = pod.metadata
  const node = pod.spec.nodeName ?? ''
  if (pod.status?.phase === 'Succeeded') {
    recorder.event(set, 'Normal', 'SucceededDaemonPod', `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`)
    return true
  }
  const wait = backoff.next(`${set.metadata.uid}/${set.status?.observedGeneration ?? 0}/${node}`)
  if (wait > 0) {
    queue.addAfter(key, wait)
    return false
  }
  recorder.event(set, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`)
  return true
}

/** Creates and deletes pods; what has not come back through the informer yet is expected meanwhile. */
async function carryOut({ context: { client }, recorder, expectations }: Scope, key: string, set: DaemonSet, plan: DaemonPlan, hash: string): Promise<void> {
  const create = plan.create.slice(0, burst)
  const doomed = plan.delete.slice(0, burst)
  if (create.length === 0 && doomed.length === 0) return
  expectations.expect(key, create.length, doomed.map(keyOf))
  const waiting = [...create]
  const { successes, error } = await slowStartBatch(create.length, async () => {
    const node = waiting.shift() ?? ''
    try {
      const pod = await client.create(core.pods, podFor(set, node, hash))
      recorder.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    } catch (caught) {
      if (isNamespaceTerminating(caught)) return
      recorder.event(set, 'Warning', 'FailedCreate', `Error creating: ${errorText(caught)}`)
      throw caught
    }
  })
  if (error !== undefined) expectations.creationObserved(key, create.length - successes)
  const results = await Promise.allSettled(doomed.map(async (pod) => {
    try {
      await client.delete(core.pods, pod.metadata.name, { namespace: pod.metadata.namespace, preconditions: { uid: pod.metadata.uid } })
      recorder.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
    } catch (caught) {
      expectations.deletionObserved(key, keyOf(pod))
      if (isNotFound(caught) || isConflict(caught)) return
      recorder.event(set, 'Warning', 'FailedDelete', `Error deleting: ${errorText(caught)}`)
      throw caught
    }
  }))
  const failed = error ?? results.find((result) => result.status === 'rejected')?.reason
  if (failed !== undefined) throw failed
}
