import type { Pod } from '@berth/api/types/core/v1'
import { isPodTerminal } from '../common/pods.ts'

/** What the pod collector deletes in a round. */
export interface PodGarbage {
  /** Over, and more than the threshold allows: the oldest. */
  terminated: Pod[]
  /** Being deleted and never scheduled: nobody else will finish it. */
  unscheduled: Pod[]
  /** On a node that is not there (to be confirmed). */
  orphaned: Pod[]
  /** Being deleted on a node that is down and said to be out of service. */
  outOfService: Pod[]
}

export interface NodeFacts {
  exists(name: string): boolean
  /** Not ready, with the taint node.kubernetes.io/out-of-service. */
  outOfService(name: string): boolean
}

/** Decides what is garbage among all pods. A threshold of 0 or less keeps every terminated pod. */
export function podGarbage(pods: readonly Pod[], nodes: NodeFacts, threshold: number): PodGarbage {
  const evictedFirst = (pod: Pod): number => pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted' ? 0 : 1
  const over = pods.filter(isPodTerminal)
  const surplus = threshold > 0 ? Math.max(0, over.length - threshold) : 0
  const oldest = over.toSorted((a, b) => evictedFirst(a) - evictedFirst(b) || ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1))
  const nodeOf = (pod: Pod): string => pod.spec.nodeName ?? ''
  const leaving = pods.filter((pod) => pod.metadata.deletionTimestamp !== undefined)
  return {
    terminated: oldest.slice(0, surplus),
    unscheduled: leaving.filter((pod) => nodeOf(pod) === ''),
    orphaned: pods.filter((pod) => nodeOf(pod) !== '' && !nodes.exists(nodeOf(pod))),
    outOfService: leaving.filter((pod) => nodeOf(pod) !== '' && nodes.exists(nodeOf(pod)) && nodes.outOfService(nodeOf(pod))),
  }
}
