import type { Job, JobCondition } from '@berth/api/types/batch/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { isPodActive, isPodReady, isPodTerminating } from '../common/pods.ts'
import { nextRecord, type BackoffRecord } from './backoff.ts'
import { condition, conditionOf } from './conditions.ts'
import { countIndexes, hasIndex, indexesOf, merge, parseIndexes, type Indexes } from './indexes.ts'
import { absoluteFailureCount, completionIndex, failureCount, finishedTime, hasTracking, isIndexed, isPodFailed, isSuspended, validIndex } from './pods.ts'
import { matchFailurePolicy, matchSuccessPolicy } from './policies.ts'

/** What one look at a job and its pods shows. */
export interface JobState {
  readonly job: Job
  readonly pods: readonly Pod[]
  readonly active: readonly Pod[]
  readonly ready: number
  readonly terminating: number
  readonly succeeded: number
  readonly failed: number
  /** Pods whose finalizer is gone or on its way: they are counted. */
  readonly released: ReadonlySet<string>
  readonly backoff: BackoffRecord
  /** Of an indexed job. */
  readonly countedIndexes: Indexes
  readonly succeededIndexes: Indexes
  /** Of a job with a limit for each index. */
  readonly failedIndexes?: Indexes
  /** The last failed pod of each index that waits for its replacement. */
  readonly waiting: ReadonlyMap<number, Pod>
}

/** Whether a pod is not yet counted: it has its finalizer, and of an indexed job a valid index. */
function isUncounted(pod: Pod, job: Job, released: ReadonlySet<string>, counted: readonly string[]): boolean {
  const uid = pod.metadata.uid ?? ''
  return hasTracking(pod) && !released.has(uid) && !counted.includes(uid) && (!isIndexed(job) || validIndex(pod, job) !== undefined)
}

export function stateOf(job: Job, pods: readonly Pod[], released: ReadonlySet<string>, record: BackoffRecord | undefined): JobState {
  const { status = {}, spec } = job
  const uncounted = { succeeded: status.uncountedTerminatedPods?.succeeded ?? [], failed: status.uncountedTerminatedPods?.failed ?? [] }
  const active = pods.filter(isPodActive)
  const newSucceeded = pods.filter((pod) => pod.status?.phase === 'Succeeded' && isUncounted(pod, job, released, uncounted.succeeded))
  const newFailed = pods.filter((pod) => isPodFailed(pod, job) && isUncounted(pod, job, released, uncounted.failed))
  const countedFailed = newFailed.filter((pod) => matchFailurePolicy(spec.podFailurePolicy, pod).counts)
  const completions = spec.completions ?? 0
  const countedIndexes = isIndexed(job) ? parseIndexes(status.completedIndexes, completions) : []
  const succeededIndexes = merge(countedIndexes, indexesOf(isIndexed(job) ? pods.filter((pod) => pod.status?.phase === 'Succeeded' && hasTracking(pod)).flatMap((pod) => validIndex(pod, job) ?? []) : []))
  const perIndex = isIndexed(job) && spec.backoffLimitPerIndex !== undefined
  const failedIndexes = perIndex ? merge(parseIndexes(status.failedIndexes, completions), indexesOf(pods.filter((pod) => hasTracking(pod) && isIndexFailed(job, pod)).flatMap((pod) => validIndex(pod, job) ?? []))) : undefined
  return {
    job, pods, active, released, countedIndexes, succeededIndexes,
    ready: active.filter(isPodReady).length, terminating: pods.filter(isPodTerminating).length,
    succeeded: isIndexed(job) ? countIndexes(succeededIndexes) : (status.succeeded ?? 0) + newSucceeded.length + uncounted.succeeded.length,
    failed: (status.failed ?? 0) + countedFailed.length + uncounted.failed.length,
    backoff: nextRecord(record, newSucceeded, newFailed),
    ...(failedIndexes === undefined ? {} : { failedIndexes }),
    waiting: failedIndexes === undefined ? new Map() : waitingPods(job, pods, released, active, succeededIndexes, failedIndexes),
  }
}

function isIndexFailed(job: Job, pod: Pod): boolean {
  if (!isPodFailed(pod, job)) return false
  const { counts, action } = matchFailurePolicy(job.spec.podFailurePolicy, pod)
  return action === 'FailIndex' || counts && failureCount(pod) >= (job.spec.backoffLimitPerIndex ?? Infinity)
}

function waitingPods(job: Job, pods: readonly Pod[], released: ReadonlySet<string>, active: readonly Pod[], succeeded: Indexes, failed: Indexes): Map<number, Pod> {
  const activeIndexes = new Set(active.map(completionIndex))
  const waiting = new Map<number, Pod>()
  for (const pod of pods) {
    const index = validIndex(pod, job)
    if (index === undefined || !isPodFailed(pod, job) || !isUncounted(pod, job, released, [])) continue
    if (hasIndex(succeeded, index) || hasIndex(failed, index) || activeIndexes.has(index)) continue
    const known = waiting.get(index)
    if (!known || absoluteFailureCount(known) <= absoluteFailureCount(pod) && finishedTime(pod) >= finishedTime(known)) waiting.set(index, pod)
  }
  return waiting
}

/** Restarts in place count for pods with restartPolicy OnFailure. */
function hasTooManyRestarts({ job, pods }: JobState): boolean {
  if (job.spec.template.spec?.restartPolicy !== 'OnFailure') return false
  const running = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
  const restarts = running.flatMap(({ status }) => [...status?.initContainerStatuses ?? [], ...status?.containerStatuses ?? []]).reduce((sum, { restartCount }) => sum + restartCount, 0)
  const limit = job.spec.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

/** How long until a job has been active for too long; undefined where it may be for ever. */
export function deadlineInMs({ spec, status }: Job, now: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined || spec.suspend === true) return undefined
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - now
}

/**
 * Why a job is to end, in upstream's order of precedence: what an earlier look decided, then failures, then success by policy.
 * The interim conditions FailureTarget and SuccessCriteriaMet come first; Failed and Complete follow when no pod is left.
 */
export function endOf(state: JobState, now: number): JobCondition | undefined {
  const { job } = state
  const { spec } = job
  const criteria = conditionOf(job, 'SuccessCriteriaMet')
  if (criteria?.status === 'True') return criteria
  const target = conditionOf(job, 'FailureTarget')
  if (target?.status === 'True') return condition('Failed', 'True', target.reason ?? '', target.message ?? '', now)
  const fail = (reason: string, message: string): JobCondition => condition('FailureTarget', 'True', reason, message, now)
  for (const pod of state.pods) {
    const { failsJob } = spec.podFailurePolicy && isPodFailed(pod, job) ? matchFailurePolicy(spec.podFailurePolicy, pod) : {}
    if (failsJob !== undefined) return fail('PodFailurePolicy', failsJob)
  }
  if (state.failed > (spec.backoffLimit ?? 6) || hasTooManyRestarts(state)) return fail('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const left = deadlineInMs(job, now)
  if (left !== undefined && left <= 0) return fail('DeadlineExceeded', 'Job was active longer than specified deadline')
  if (!isIndexed(job)) return undefined
  if (state.failedIndexes !== undefined) {
    const failed = countIndexes(state.failedIndexes)
    if (spec.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes) return fail('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
    if (failed > 0 && failed + countIndexes(state.succeededIndexes) >= (spec.completions ?? 0)) return fail('FailedIndexes', 'Job has failed indexes')
  }
  const met = matchSuccessPolicy(spec.successPolicy, spec.completions ?? 0, state.succeededIndexes)
  return met === undefined ? undefined : condition('SuccessCriteriaMet', 'True', 'SuccessPolicy', met, now)
}

/** Whether a job has what it is for: its completions, or of a work queue one success and nobody at work. */
export function isComplete({ job: { spec }, succeeded }: JobState, active: number): boolean {
  return active === 0 && (spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions)
}

/** How many pods should be at work. */
export function wantedActive({ job, active, succeeded }: JobState): number {
  const { parallelism = 1, completions } = job.spec
  if (isSuspended(job)) return 0
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(completions - succeeded, parallelism))
}
