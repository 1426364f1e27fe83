import type { Job, JobCondition, JobStatus } from '@berth/api/types/batch/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { condition } from './conditions.ts'
import { formatIndexes, hasIndex, indexesOf, countIndexes, merge } from './indexes.ts'
import { completionIndex, hasTracking, isIndexed, isPodFailed, validIndex } from './pods.ts'
import { matchFailurePolicy } from './policies.ts'
import type { JobState } from './state.ts'

/** How many ended pods one look counts, so that the status stays small and other jobs get their turn. */
const maxUncounted = 500

/** What is to be written of pods that have ended. */
export interface Tracking {
  /** With the pods that are about to be counted, and the interim condition. To be written before any finalizer goes. */
  readonly status: JobStatus
  readonly mustWrite: boolean
  /** Pods whose end is in that status: they may go. */
  readonly release: readonly Pod[]
  /** There are more than one look counts. */
  readonly more: boolean
  /** Failed or Complete, to be written once nothing is left to count. */
  readonly end?: JobCondition
}

const isCriteriaMet = (end: JobCondition | undefined): boolean => end?.type === 'SuccessCriteriaMet'

function mayRelease(state: JobState, pod: Pod, end: JobCondition | undefined): boolean {
  if (state.job.metadata.deletionTimestamp !== undefined || end || pod.status?.phase === 'Succeeded') return true
  if (!isPodFailed(pod, state.job)) return false
  // A failed pod stays until its successor, which takes over its count.
  const index = completionIndex(pod)
  return index === undefined || state.waiting.get(index)?.metadata.uid !== pod.metadata.uid
}

/** Counts pods that have ended: those are named in the status first, then lose their finalizer, and only then are counted for good. */
export function track(state: JobState, end: JobCondition | undefined, now: number): Tracking {
  const { job, released } = state
  const indexed = isIndexed(job)
  const withFinalizer = new Set(state.pods.filter((pod) => hasTracking(pod) && !released.has(pod.metadata.uid ?? '')).map((pod) => pod.metadata.uid ?? ''))
  let status = settled(job.status ?? {}, withFinalizer, indexed)
  let mustWrite = status !== job.status
  const succeeded = [...status.uncountedTerminatedPods?.succeeded ?? []]
  const failed = [...status.uncountedTerminatedPods?.failed ?? []]
  const knownFailed = new Set(failed)
  const newIndexes: number[] = []
  const release: Pod[] = []
  let more = false
  for (const pod of indexed ? [...state.pods].sort((a, b) => (completionIndex(a) ?? -1) - (completionIndex(b) ?? -1)) : state.pods) {
    const uid = pod.metadata.uid ?? ''
    if (!withFinalizer.has(uid) || !mayRelease(state, pod, end)) continue
    release.push(pod)
    const index = validIndex(pod, job)
    if (pod.status?.phase === 'Succeeded' && !knownFailed.has(uid)) {
      if (indexed) {
        if (index !== undefined && !hasIndex(state.countedIndexes, index)) newIndexes.push(index)
      } else if (!succeeded.includes(uid)) succeeded.push(uid)
    } else if ((isPodFailed(pod, job) || end && !isCriteriaMet(end)) && !knownFailed.has(uid) && (!indexed || index !== undefined)
      && matchFailurePolicy(job.spec.podFailurePolicy, pod).counts) failed.push(uid)
    if (newIndexes.length + succeeded.length + failed.length >= maxUncounted) {
      more = true
      break
    }
  }
  if (newIndexes.length > 0 || succeeded.length !== (status.uncountedTerminatedPods?.succeeded ?? []).length || failed.length !== knownFailed.size) mustWrite = true
  status = { ...status, uncountedTerminatedPods: { ...(succeeded.length === 0 ? {} : { succeeded }), ...(failed.length === 0 ? {} : { failed }) } }
  if (indexed) {
    const completed = merge(state.succeededIndexes, indexesOf(newIndexes))
    const completedIndexes = formatIndexes(completed)
    const failedIndexes = state.failedIndexes === undefined ? undefined : formatIndexes(state.failedIndexes)
    mustWrite ||= completedIndexes !== (status.completedIndexes ?? '') || failedIndexes !== status.failedIndexes
    const { completedIndexes: _c, failedIndexes: _f, ...rest } = status
    status = { ...rest, succeeded: countIndexes(completed), ...(completedIndexes === '' ? {} : { completedIndexes }), ...(failedIndexes === undefined ? {} : { failedIndexes }) }
  }
  const interim = end?.type === 'FailureTarget' || isCriteriaMet(end) ? end : undefined
  if (interim && !(status.conditions ?? []).some(({ type }) => type === interim.type)) {
    status = { ...status, conditions: [...status.conditions ?? [], interim] }
    mustWrite = true
  }
  const final = interim ? condition(isCriteriaMet(interim) ? 'Complete' : 'Failed', 'True', interim.reason ?? '', interim.message ?? '', now) : end
  return { status, mustWrite, release, more, ...(final === undefined ? {} : { end: final }) }
}

/** The status with pods counted for good that were named in it and have no finalizer any more. The same object where there are none. */
export function settled(status: JobStatus, withFinalizer: ReadonlySet<string>, indexed: boolean): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  const stillSucceeded = succeeded.filter((uid) => withFinalizer.has(uid))
  const stillFailed = failed.filter((uid) => withFinalizer.has(uid))
  if (stillSucceeded.length === succeeded.length && stillFailed.length === failed.length) return status
  return {
    ...status,
    ...(indexed ? {} : { succeeded: (status.succeeded ?? 0) + succeeded.length - stillSucceeded.length }),
    failed: (status.failed ?? 0) + failed.length - stillFailed.length,
    uncountedTerminatedPods: { ...(stillSucceeded.length === 0 ? {} : { succeeded: stillSucceeded }), ...(stillFailed.length === 0 ? {} : { failed: stillFailed }) },
  }
}

/** Whether the final condition may be set: every pod is counted, and none is still ending. */
export function maySettle(status: JobStatus): boolean {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
  return succeeded.length + failed.length === 0 && (status.terminating ?? 0) === 0
}

/** Whether a job is this controller's: `spec.managedBy` can give it to another one. */
export function isOurs({ spec }: Job): boolean {
  return spec.managedBy === undefined || spec.managedBy === 'kubernetes.io/job-controller'
}
