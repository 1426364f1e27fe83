import { core, policy } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { isConflict, isNotFound, keyOf, labelSelectorMatcher, type EventRecorder, type Informer } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { printedSelector } from '../common/printed-selector.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { disruptedPods, expectation, failedStatus, healthyPods, needsScale, nextStatus, staleConditionInMs } from './budget.ts'
import { Scales } from './scale.ts'

/** A pod's key is told from a budget's. */
type Key = `budget ${string}` | `pod ${string}`

interface Scope {
  readonly context: ControllerContext
  readonly budgets: Informer<PodDisruptionBudget>
  readonly pods: Informer<Pod>
  readonly scales: Scales
  readonly recorder: EventRecorder
  again(key: Key, ms: number): void
}

const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Says in each PodDisruptionBudget how many of its pods may be evicted now. */
export const disruptionController: Controller = {
  name: 'disruption-controller',
  async run(context) {
    const budgets = context.informers.for(policy.poddisruptionbudgets, { indexers: { namespace: (budget) => [budget.metadata.namespace ?? ''] } })
    const pods = context.informers.for(core.pods, { indexers: { namespace: (pod) => [pod.metadata.namespace ?? ''] } })
    const scales = new Scales(context.client, context.informers, context.clock)
    const recorder = context.recorder('controllermanager')
    const frame = keyedController<Key>({
      name: 'disruption', workers: 1, context, informers: [budgets, pods, scales.sets, scales.deployments, scales.statefulSets, scales.controllers],
      sync: (key, queue) => {
        const scope: Scope = { context, budgets, pods, scales, recorder, again: (each, ms) => queue.addAfter(each, ms) }
        const name = key.slice(key.indexOf(' ') + 1)
        return key.startsWith('pod ') ? clearStaleCondition(scope, name) : syncBudget(scope, name)
      },
    })
    const add = (budget: PodDisruptionBudget): void => frame.queue.add(`budget ${keyOf(budget)}`)
    const addOf = (pod: Pod): void => {
      const matching = budgets.store.byIndex('namespace', pod.metadata.namespace ?? '').filter((budget) => selects(budget, pod))
      for (const budget of matching) add(budget)
      const [first] = matching
      if (first && matching.length > 1) recorder.event(pod, 'Warning', 'MultiplePodDisruptionBudgets', `Pod ${JSON.stringify(pod.metadata.namespace ?? '')}/${JSON.stringify(pod.metadata.name)} matches multiple PodDisruptionBudgets.  Chose ${JSON.stringify(first.metadata.name)} arbitrarily.`)
    }
    const follow = (pod: Pod): void => {
      addOf(pod)
      const stale = staleConditionInMs(pod, context.clock.now())
      if (stale !== undefined) frame.queue.addAfter(`pod ${keyOf(pod)}`, stale)
    }
    /** A workload's size is part of what its budgets say. */
    const resized = (object: { metadata: { namespace?: string } }): void => {
      for (const budget of budgets.store.byIndex('namespace', object.metadata.namespace ?? '')) if (needsScale(budget)) add(budget)
    }
    const off = [
      budgets.on({ added: add, updated: (_old, budget) => add(budget) }),
      pods.on({
        added: follow, deleted: addOf,
        updated(old, pod) {
          if (JSON.stringify(old.metadata.labels) !== JSON.stringify(pod.metadata.labels)) addOf(old)
          follow(pod)
        },
      }),
      ...[scales.sets, scales.deployments, scales.statefulSets, scales.controllers].map((informer) => informer.on({
        added: resized, deleted: resized,
        updated(old, now) {
          if (old.spec?.replicas !== now.spec?.replicas) resized(now)
        },
      })),
    ]
    await frame.run()
    for (const each of off) each()
  },
}

/** No selector selects nothing, an empty one everything. */
function selects({ spec }: PodDisruptionBudget, pod: Pod): boolean {
  return spec.selector !== undefined && labelSelectorMatcher(spec.selector)(pod.metadata.labels)
}

async function syncBudget(scope: Scope, key: string): Promise<void> {
  const budget = scope.budgets.store.get(key)
  if (!budget) return
  const { client, clock, logger } = scope.context
  try {
    await trySync(scope, budget)
  } catch (error) {
    if (isNotFound(error)) return
    if (isConflict(error)) throw error
    logger.error(error, 'Failed to sync PDB', { podDisruptionBudget: key })
    const status = failedStatus(budget, errorText(error), clock.now())
    if (JSON.stringify(status) === JSON.stringify(budget.status)) throw error
    await client.update(policy.poddisruptionbudgets, { ...budget, status }, { subresource: 'status' })
  }
}

async function trySync({ context: { client, clock }, pods: informer, scales, recorder, again }: Scope, budget: PodDisruptionBudget): Promise<void> {
  const pods = informer.store.byIndex('namespace', budget.metadata.namespace ?? '').filter((pod) => selects(budget, pod))
  if (pods.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found')
  let counts: { expected: number; desired: number }
  try {
    const scale = needsScale(budget) ? await scales.of(pods) : { expected: 0, unmanaged: [] }
    counts = expectation(budget, pods.length, scale)
    if (scale.unmanaged.length > 0) {
      recorder.event(budget, 'Warning', 'UnmanagedPods', `Pods selected by this PodDisruptionBudget (selector: ${printedSelector(budget.spec.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`)
    }
  } catch (error) {
    recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${errorText(error)}`)
    throw error
  }
  const now = clock.now()
  const { disrupted, overdue, recheckInMs } = disruptedPods(budget, pods, now)
  const { namespace = '', name } = budget.metadata
  for (const pod of overdue) recorder.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`)
  const status = nextStatus(budget, { ...counts, healthy: healthyPods(pods, disrupted) }, disrupted, now)
  if (status !== budget.status) await client.update(policy.poddisruptionbudgets, { ...budget, ...(status ? { status } : {}) }, { subresource: 'status' })
  if (recheckInMs !== undefined) again(`budget ${keyOf(budget)}`, recheckInMs)
}

/** A pod that was to be disrupted and was not says so no more. */
async function clearStaleCondition({ context: { client, clock }, pods, again }: Scope, key: string): Promise<void> {
  const pod = pods.store.get(key)
  const wait = pod && staleConditionInMs(pod, clock.now())
  if (!pod || wait === undefined) return
  if (wait > 0) return again(`pod ${key}`, wait)
  const lastTransitionTime = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  const conditions = (pod.status?.conditions ?? []).map((condition) => (condition.type === 'DisruptionTarget' ? { type: condition.type, status: 'False' as const, lastTransitionTime } : condition))
  await client.update(core.pods, { ...pod, status: { ...pod.status, conditions } }, { subresource: 'status' }).catch(ignore(isNotFound))
}
