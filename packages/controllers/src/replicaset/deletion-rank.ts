import type { Pod } from '@berth/api/types/core/v1'
import { isPodReady, podCondition } from '../common/pods.ts'

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'

/**
 * The pods to delete when a ReplicaSet shrinks by `count`, in upstream's order (ActivePodsWithRanks): unassigned before assigned, pending
 * before running, not ready before ready, cheap before dear, crowded before lonely (`neighbours`: active pods of the same controller's sets on
 * each node), younger before older by orders of magnitude, more restarts before fewer.
 */
export function podsToDelete(pods: readonly Pod[], neighbours: ReadonlyMap<string, number>, count: number, now: number): Pod[] {
  if (count >= pods.length) return [...pods]
  const rankOf = (pod: Pod): number => neighbours.get(pod.spec.nodeName ?? '') ?? 0
  return pods.toSorted((a, b) => compare(a, b, rankOf, now)).slice(0, count)
}

/** Active pods of each node. */
export function podsByNode(pods: readonly Pod[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const pod of pods) {
    const node = pod.spec.nodeName ?? ''
    if (node !== '') counts.set(node, (counts.get(node) ?? 0) + 1)
  }
  return counts
}

function compare(a: Pod, b: Pod, rankOf: (pod: Pod) => number, now: number): number {
  const assigned = (pod: Pod): number => (pod.spec.nodeName ?? '') === '' ? 0 : 1
  const phase = (pod: Pod): number => phaseOrder[pod.status?.phase ?? ''] ?? 0
  const simple = assigned(a) - assigned(b) || phase(a) - phase(b) || Number(isPodReady(a)) - Number(isPodReady(b)) || costOf(a) - costOf(b) || rankOf(b) - rankOf(a)
  if (simple !== 0) return simple
  if (isPodReady(a) && isPodReady(b)) {
    const byReady = youngerFirst(podCondition(a, 'Ready')?.lastTransitionTime, podCondition(b, 'Ready')?.lastTransitionTime, a, b, now)
    if (byReady !== 0) return byReady
  }
  const [regularA, sidecarA] = restartsOf(a)
  const [regularB, sidecarB] = restartsOf(b)
  return regularB - regularA || sidecarB - sidecarA || youngerFirst(a.metadata.creationTimestamp, b.metadata.creationTimestamp, a, b, now)
}

function costOf(pod: Pod): number {
  const text = pod.metadata.annotations?.[deletionCost] ?? ''
  return /^(0|[+-]?[1-9]\d*)$/.test(text) ? Number(text) : 0
}

/** Ages count by their power of two, so that which of many pods goes is spread; within one it is the uid's turn. */
function youngerFirst(a: string | undefined, b: string | undefined, podA: Pod, podB: Pod, now: number): number {
  if (a === b) return 0
  // A pod without the time sorts before one with it.
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1
  const rank = (time: string): number => {
    const seconds = Math.floor((now - Date.parse(time)) / 1000)
    return seconds > 0 ? Math.floor(Math.log2(seconds * 1e9)) : -1
  }
  const byRank = rank(a) - rank(b)
  if (byRank !== 0) return byRank
  return (podA.metadata.uid ?? '') < (podB.metadata.uid ?? '') ? -1 : 1
}

function restartsOf(pod: Pod): [regular: number, sidecars: number] {
  const most = (counts: number[]): number => Math.max(0, ...counts)
  const sidecars = new Set((pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always').map((c) => c.name))
  return [
    most((pod.status?.containerStatuses ?? []).map((s) => s.restartCount)),
    most((pod.status?.initContainerStatuses ?? []).filter((s) => sidecars.has(s.name)).map((s) => s.restartCount)),
  ]
}
