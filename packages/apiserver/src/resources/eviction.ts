// pods/eviction: a deletion that PodDisruptionBudgets may refuse (upstream: registry/core/pod/storage/eviction.go).
import { labelSelectorMatcher, policy } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '@berth/api/types/policy/v1'
import { conflict, forbidden, StatusError } from '../errors.ts'
import type { ApiObject, ResourceStore } from '../interfaces.ts'
import type { ActionContext, ActionSubresource } from '../registry/definition.ts'
import { asRecord, formatTime, valueAt } from '../registry/values.ts'

const budgetResource = { group: 'policy', resource: 'poddisruptionbudget' }
/** More granted evictions than this, of which the controller has not heard, and no more are granted. */
const maxDisrupted = 2000
const attempts = 20
const pauseMs = 50

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as unknown as ApiObject

function refuse(message: string, retryAfterSeconds: number): StatusError {
  const details = { causes: [{ reason: 'DisruptionBudget', message }], ...(retryAfterSeconds > 0 && { retryAfterSeconds }) }
  return new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", details, { headers: retryAfterSeconds > 0 ? { 'retry-after': String(retryAfterSeconds) } : {} })
}

const stillProcessed = (name: string): StatusError => refuse(`The disruption budget ${name} is still being processed by the server.`, 10)

function forbid(name: string, why: string, cause: string): StatusError {
  const error = forbidden(budgetResource, name, why)
  return new StatusError(403, 'Forbidden', error.message, { ...error.status.details, causes: [{ reason: 'DisruptionBudget', message: `The disruption budget ${name} does not allow evicting pods currently: ${cause}` }] })
}

/** A budget's status with its numbers, which are absent where they are zero. */
type Counted = PodDisruptionBudgetStatus & Required<Pick<PodDisruptionBudgetStatus, 'currentHealthy' | 'desiredHealthy' | 'disruptionsAllowed'>>

function counted(status: PodDisruptionBudgetStatus = {}): Counted {
  return { ...status, currentHealthy: status.currentHealthy ?? 0, desiredHealthy: status.desiredHealthy ?? 0, disruptionsAllowed: status.disruptionsAllowed ?? 0 }
}

/** Why a budget grants nothing. A count that could not be computed is no reason. */
function deniedBecause(name: string, status: Counted): string {
  const condition = status.conditions?.find(({ type }) => type === 'DisruptionAllowed')
  const told = condition?.status === 'False' && condition.message !== '' ? condition : undefined
  if (told?.reason === 'SyncFailed') return `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${told.message}`
  if (status.currentHealthy <= status.desiredHealthy) return `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`
  return `The disruption budget ${name} does not allow evicting pods currently${told ? ` (${told.reason}): ${told.message}` : ''}`
}

/** The budget with one eviction less to grant. Throws where it grants none. */
export function spent(budget: PodDisruptionBudget, podName: string, now: number): PodDisruptionBudget {
  const { name, generation = 0 } = budget.metadata
  const status = counted(budget.status)
  if ((status.observedGeneration ?? 0) < generation) throw stillProcessed(name)
  if (status.disruptionsAllowed < 0) throw forbid(name, 'pdb disruptions allowed is negative', 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > maxDisrupted) {
    throw forbid(name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller', 'too many pending evictions not confirmed by PDB controller')
  }
  if (status.disruptionsAllowed === 0) throw refuse(deniedBecause(name, status), 0)
  const disruptionsAllowed = status.disruptionsAllowed - 1
  const type = 'DisruptionAllowed'
  const exhausted = { type, status: 'False' as const, reason: 'InsufficientPods', message: '', observedGeneration: status.observedGeneration ?? 0, lastTransitionTime: formatTime(now) }
  return {
    ...budget,
    status: {
      ...status, disruptionsAllowed, disruptedPods: { ...status.disruptedPods, [podName]: formatTime(now) },
      ...(disruptionsAllowed === 0 && { conditions: [...(status.conditions ?? []).filter((each) => each.type !== type), exhausted] }),
    },
  }
}

/** Whether a pod's eviction disrupts nothing (any more). */
function budgetsDoNotCount({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed' || status?.phase === 'Pending'
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

/** A pod that is not ready does not count for its budget, and may go: always, or (by default) where the budget's other pods are enough. */
export function mayGoUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const desired = status?.desiredHealthy ?? 0
  return desired > 0 && (status?.currentHealthy ?? 0) >= desired
}

function budgetsOf(pod: Pod, store: ResourceStore): PodDisruptionBudget[] {
  return store.list(policy.poddisruptionbudgets, pod.metadata.namespace).filter(({ spec }) => spec.selector !== undefined && labelSelectorMatcher(spec.selector)(pod.metadata.labels))
}

const isConflict = (error: unknown): boolean => error instanceof StatusError && error.code === 409

/** Takes one eviction of a budget, again where somebody else was faster. */
async function spend(budget: PodDisruptionBudget, podName: string, dryRun: boolean, store: ResourceStore): Promise<void> {
  let latest = budget
  for (let attempt = 1; ; attempt++) {
    const next = spent(latest, podName, Date.now())
    if (dryRun) return
    try {
      await store.update(policy.poddisruptionbudgets, next, { subresource: 'status' })
      return
    } catch (error) {
      if (!isConflict(error)) throw error
      const { name, namespace } = budget.metadata
      if (attempt >= attempts) throw new StatusError(504, 'Timeout', `Timeout: couldn't update PodDisruptionBudget "${name}" due to conflicts`, { retryAfterSeconds: 10 })
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      latest = store.get(policy.poddisruptionbudgets, name, namespace) ?? latest
    }
  }
}

/** Says in the pod why it goes, then deletes it; both only while it is the pod that was meant (preconditions). */
async function markAndRemove(context: ActionContext, options: Record<string, unknown>, resourceVersion: string | undefined, dryRun: boolean): Promise<void> {
  const preconditions = asRecord(options['preconditions'])
  const version = resourceVersion ?? preconditions?.['resourceVersion']
  if (dryRun) return
  const updated = await context.update((pod) => {
    const { uid, resourceVersion: found } = pod.metadata
    const wanted = preconditions?.['uid']
    const groupResource = { group: '', resource: 'Pod' }
    if (typeof wanted === 'string' && wanted !== '' && wanted !== uid) {
      throw conflict(groupResource, context.name, `the UID in the precondition (${wanted}) does not match the UID in record (${uid ?? ''}). The object might have been deleted and then recreated`)
    }
    if (typeof version === 'string' && version !== found) {
      throw conflict(groupResource, context.name, `the ResourceVersion in the precondition (${version}) does not match the ResourceVersion in record (${found ?? ''}). The object might have been modified`)
    }
    markDisrupted(pod)
  })
  await context.remove({ ...options, ...(version !== undefined && { preconditions: { ...preconditions, resourceVersion: updated.metadata.resourceVersion } }) })
}

/** Sets the condition DisruptionTarget. */
function markDisrupted(pod: ApiObject): void {
  const status = asRecord(pod['status']) ?? {}
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] as Record<string, unknown>[] : []
  const before = conditions.find((condition) => condition['type'] === 'DisruptionTarget')
  const condition = {
    type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting', lastProbeTime: null,
    lastTransitionTime: before?.['status'] === 'True' ? before['lastTransitionTime'] : formatTime(Date.now()),
    ...(status['observedGeneration'] !== undefined && { observedGeneration: pod.metadata.generation }),
  }
  pod['status'] = { ...status, conditions: [...conditions.filter((each) => each['type'] !== 'DisruptionTarget'), condition] }
}

async function evict(eviction: ApiObject, context: ActionContext): Promise<ApiObject> {
  const options = asRecord(valueAt(eviction, 'deleteOptions')) ?? {}
  const asked = options['dryRun']
  const dryRun = context.dryRun || (Array.isArray(asked) && asked.length > 0)
  const versionGiven = valueAt(options, 'preconditions', 'resourceVersion') !== undefined
  for (let attempt = 1; ; attempt++) {
    const pod = context.get() as unknown as Pod
    if (!budgetsDoNotCount(pod)) break
    try {
      // A pending pod may get ready while we look away, and then it counts.
      await markAndRemove(context, options, pod.status?.phase === 'Pending' && pod.metadata.deletionTimestamp === undefined && !versionGiven ? pod.metadata.resourceVersion : undefined, dryRun)
      return success
    } catch (error) {
      if (!isConflict(error) || versionGiven || attempt >= attempts) throw error
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  return evictCounted(context, options, versionGiven, dryRun)
}

/** Evicts a pod that budgets count. */
async function evictCounted(context: ActionContext, options: Record<string, unknown>, versionGiven: boolean, dryRun: boolean): Promise<ApiObject> {
  const pod = context.get() as unknown as Pod
  const [budget, ...more] = budgetsOf(pod, context.store)
  if (more.length > 0) throw new StatusError(500, '', 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  const unready = budget !== undefined && !isReady(pod) && mayGoUnready(budget)
  if (budget && !unready) await spend(budget, pod.metadata.name, dryRun, context.store)
  try {
    await markAndRemove(context, options, unready && !versionGiven ? pod.metadata.resourceVersion : undefined, dryRun)
  } catch (error) {
    // It may have become ready: then its budget counts.
    if (unready && !versionGiven && isConflict(error)) throw stillProcessed(budget.metadata.name)
    throw error
  }
  return success
}

/** pods/eviction. */
export const evictionSubresource: ActionSubresource = { type: 'action', kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, act: evict }
