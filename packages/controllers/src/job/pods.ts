import type { Job } from '@berth/api/types/batch/v1'
import type { ContainerStatus, Pod } from '@berth/api/types/core/v1'
import { isPodActive, podCondition } from '../common/pods.ts'
import { matchFailurePolicy } from './policies.ts'

/** Keeps a pod until its end is counted. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
export const completionIndexKey = 'batch.kubernetes.io/job-completion-index'
export const failureCountKey = 'batch.kubernetes.io/job-index-failure-count'
export const ignoredFailureCountKey = 'batch.kubernetes.io/job-index-ignored-failure-count'

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed'
export const isSuspended = ({ spec }: Job): boolean => spec.suspend === true

export function hasTracking({ metadata }: Pod): boolean {
  return (metadata.finalizers ?? []).includes(trackingFinalizer)
}

/** The pod's completion index; undefined where it has none. */
export function completionIndex({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[completionIndexKey]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** The pod's index, if the job has that many. */
export function validIndex(pod: Pod, job: Job): number | undefined {
  const index = completionIndex(pod)
  return index !== undefined && index < (job.spec.completions ?? 0) ? index : undefined
}

/** Whether a pod is replaced only once it has ended, not when it is being deleted. */
export function replacesFailedOnly({ spec }: Job): boolean {
  return spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined
}

export function isPodFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true
  return !replacesFailedOnly(job) && pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded'
}

function count(pod: Pod, key: string): number {
  const text = pod.metadata.annotations?.[key]
  const value = text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
  return value > 2 ** 31 - 1 ? 0 : value
}

/** How often the pod's index has failed before it. */
export const failureCount = (pod: Pod): number => count(pod, failureCountKey)
/** The same with failures that were ignored. */
export const absoluteFailureCount = (pod: Pod): number => count(pod, failureCountKey) + count(pod, ignoredFailureCountKey)

/** The counts for the pod that replaces another of its index. */
export function nextFailureCounts(job: Job, replaced: Pod | undefined): { counted: number; ignored: number } {
  if (!replaced) return { counted: 0, ignored: 0 }
  const counts = matchFailurePolicy(job.spec.podFailurePolicy, replaced).counts
  return { counted: count(replaced, failureCountKey) + (counts ? 1 : 0), ignored: count(replaced, ignoredFailureCountKey) + (counts ? 0 : 1) }
}

/** When a pod ended: its last container, else when it stopped being ready, else when it was deleted, else when it was made. Milliseconds. */
export function finishedTime(pod: Pod): number {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name))
  const containers = latestEnd([...containerStatuses, ...initContainerStatuses.filter(({ name }) => sidecars.has(name))])
  if (containers !== undefined) return containers
  const ready = podCondition(pod, 'Ready')
  if (ready?.status === 'False' && ready.lastTransitionTime !== undefined) return Date.parse(ready.lastTransitionTime)
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = pod.metadata
  if (deletionTimestamp !== undefined) return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000
  return creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp)
}

function latestEnd(statuses: readonly ContainerStatus[]): number | undefined {
  const ends = statuses.map(({ state }) => state?.terminated?.finishedAt)
  return ends.length === 0 || ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => Date.parse(end ?? '')))
}

/** Active pods of an indexed job that may not be: without an index, beyond the last one, or second of their index. The rest is kept. */
export function superfluous(pods: readonly Pod[], completions: number, worst: (pods: readonly Pod[], count: number) => Pod[]): { doomed: Pod[]; left: Pod[] } {
  const byIndex = new Map<number, Pod[]>()
  const doomed: Pod[] = []
  for (const pod of pods.filter(isPodActive)) {
    const index = completionIndex(pod)
    if (index === undefined || index >= completions) doomed.push(pod)
    else byIndex.set(index, [...byIndex.get(index) ?? [], pod])
  }
  for (const same of byIndex.values()) if (same.length > 1) doomed.push(...worst(same, same.length - 1))
  return { doomed, left: pods.filter((pod) => !doomed.includes(pod)) }
}
