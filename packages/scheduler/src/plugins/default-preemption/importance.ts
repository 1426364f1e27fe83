import { priorityOf, type PodInfo } from '../../framework/pod-info.ts'

/** When a pod was started, in milliseconds; one that was not yet started counts as the youngest. */
export function startOf({ pod }: PodInfo): number {
  const start = pod.status?.startTime
  return start === undefined || start === null ? Infinity : Date.parse(start)
}

/** Orders pods by importance, the most important one first: by priority, then by how long they run (upstream: util.MoreImportantPod). */
export function byImportance(a: PodInfo, b: PodInfo): number {
  const difference = priorityOf(b) - priorityOf(a)
  if (difference !== 0) return difference
  const [startA, startB] = [startOf(a), startOf(b)]
  return startA === startB ? 0 : startA < startB ? -1 : 1
}
