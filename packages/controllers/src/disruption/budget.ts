import type { Pod } from '@berth/api/types/core/v1'
import type { Condition } from '@berth/api/types/meta/v1'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '@berth/api/types/policy/v1'
import { isPodReady, wireTime } from '../common/pods.ts'

/** How long an evicted pod that is still there counts as going; milliseconds. */
const deletionTimeoutMs = 120_000
/** How long a pod that was to be disrupted, and lives on, says so; milliseconds. */
const staleConditionMs = 120_000

/** The size of the workload that a budget's pods belong to. */
export interface Scale {
  readonly expected: number
  /** The names of pods that nobody manages. */
  readonly unmanaged: readonly string[]
}

/** A share rounded up, as upstream's GetScaledValueFromIntOrPercent. Throws for what is neither a number nor a percentage. */
function scaled(value: number | string, total: number): number {
  if (typeof value === 'number') return value
  const match = /^(\d+)%$/.exec(value)
  if (!match) throw new Error(`invalid value for IntOrString: invalid type: string is not a percentage`)
  return Math.ceil((Number(match[1]) * total) / 100)
}

/** Whether a budget needs to know how large the workload is to be, rather than how large it is. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string'
}

/** How many pods there are to be, and how many of them have to be healthy. */
export function expectation({ spec }: PodDisruptionBudget, pods: number, scale: Scale): { expected: number; desired: number } {
  if (spec.maxUnavailable !== undefined) return { expected: scale.expected, desired: Math.max(0, scale.expected - scaled(spec.maxUnavailable, scale.expected)) }
  if (typeof spec.minAvailable === 'string') return { expected: scale.expected, desired: scaled(spec.minAvailable, scale.expected) }
  return spec.minAvailable === undefined ? { expected: 0, desired: 0 } : { expected: pods, desired: spec.minAvailable }
}

/** The pods whose eviction was granted and who are not going yet; those that took too long are `overdue`. */
export function disruptedPods({ status }: PodDisruptionBudget, pods: readonly Pod[], now: number): { disrupted: Record<string, string>; overdue: Pod[]; recheckInMs?: number } {
  const disrupted: Record<string, string> = {}
  const overdue: Pod[] = []
  let first = Infinity
  for (const pod of pods) {
    const since = status?.disruptedPods?.[pod.metadata.name]
    if (since === undefined || pod.metadata.deletionTimestamp !== undefined) continue
    const end = Date.parse(since) + deletionTimeoutMs
    if (end < now) {
      overdue.push(pod)
      continue
    }
    disrupted[pod.metadata.name] = since
    first = Math.min(first, end)
  }
  return { disrupted, overdue, ...(first === Infinity ? {} : { recheckInMs: Math.max(0, first - now) + 1 }) }
}

/** Ready, neither going nor about to be evicted. */
export function healthyPods(pods: readonly Pod[], disrupted: Readonly<Record<string, string>>): number {
  return pods.filter((pod) => pod.metadata.deletionTimestamp === undefined && disrupted[pod.metadata.name] === undefined && isPodReady(pod)).length
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** The condition DisruptionAllowed; its time changes with its status alone. */
export function withCondition(status: PodDisruptionBudgetStatus, verdict: Verdict, now: number): PodDisruptionBudgetStatus {
  const type = 'DisruptionAllowed'
  const before = status.conditions?.find((condition) => condition.type === type)
  const condition: Condition = {
    type, ...verdict, observedGeneration: status.observedGeneration ?? 0,
    lastTransitionTime: before?.status === verdict.status ? before.lastTransitionTime : wireTime(now),
  }
  return { ...status, conditions: [...(status.conditions ?? []).filter((each) => each.type !== type), condition] }
}

/** A budget's status; the same object where it says so already. */
export function nextStatus(budget: PodDisruptionBudget, counts: { expected: number; desired: number; healthy: number }, disrupted: Record<string, string>, now: number): PodDisruptionBudgetStatus | undefined {
  const { expected, desired, healthy } = counts
  // A budget without pods allows nothing: the first ones may be there before we know of them.
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired)
  const before = budget.status
  const next: PodDisruptionBudgetStatus = {
    ...(before?.conditions ? { conditions: before.conditions } : {}),
    currentHealthy: healthy, desiredHealthy: desired, expectedPods: expected, disruptionsAllowed: allowed,
    ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
    observedGeneration: budget.metadata.generation ?? 0,
  }
  const known = before?.conditions?.find((condition) => condition.type === 'DisruptionAllowed')
  const same = before !== undefined && known?.status === (allowed > 0 ? 'True' : 'False') && before.observedGeneration === next.observedGeneration
    && before.currentHealthy === healthy && before.desiredHealthy === desired && before.expectedPods === expected && before.disruptionsAllowed === allowed
    && JSON.stringify(before.disruptedPods ?? {}) === JSON.stringify(disrupted)
  if (same) return before
  return withCondition(next, allowed > 0 ? { status: 'True', reason: 'SufficientPods', message: '' } : { status: 'False', reason: 'InsufficientPods', message: '' }, now)
}

/** What a budget says that could not be computed: nothing is allowed, and why. */
export function failedStatus({ status }: PodDisruptionBudget, why: string, now: number): PodDisruptionBudgetStatus {
  const base: PodDisruptionBudgetStatus = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, ...status, disruptionsAllowed: 0 }
  return withCondition(base, { status: 'False', reason: 'SyncFailed', message: why }, now)
}

/** Milliseconds until a pod that lives on has said for too long that it is being disrupted; undefined where it does not. What the kubelet says stays. */
export function staleConditionInMs(pod: Pod, now: number): number | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return undefined
  const condition = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return undefined
  return Math.max(0, Date.parse(condition.lastTransitionTime ?? '') + staleConditionMs - now) || 0
}
