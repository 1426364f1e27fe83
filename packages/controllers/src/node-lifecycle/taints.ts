import type { Node, Taint } from '@berth/api/types/core/v1'
import { wireTime } from '../common/pods.ts'
import { readyOf } from './health.ts'

export const notReadyTaint = 'node.kubernetes.io/not-ready'
export const unreachableTaint = 'node.kubernetes.io/unreachable'
const unschedulableTaint = 'node.kubernetes.io/unschedulable'

/** Condition, status and the taint that says so to the scheduler. */
const conditionTaints: readonly [condition: string, status: string, key: string][] = [
  ['Ready', 'False', notReadyTaint],
  ['Ready', 'Unknown', unreachableTaint],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
]
const ours = new Set([...conditionTaints.map(([, , key]) => key), unschedulableTaint])

/** The NoSchedule taints that a node's conditions call for. */
export function noScheduleKeys(node: Node): string[] {
  const conditions = node.status?.conditions ?? []
  const keys = conditionTaints.filter(([type, status]) => conditions.some((condition) => condition.type === type && condition.status === status)).map(([, , key]) => key)
  return node.spec?.unschedulable === true ? [...keys, unschedulableTaint] : keys
}

/** The NoExecute taint that a node's Ready condition calls for. */
export function noExecuteKey(node: Node): string | undefined {
  const status = readyOf(node)?.status
  return status === 'False' ? notReadyTaint : status === 'Unknown' ? unreachableTaint : undefined
}

/**
 * A node's taints as they should be; undefined where they are. Taints of others stay as they are and where they are; ours that stay keep the
 * time they were added. `noExecute`: the key to set, undefined to remove, or 'keep' to leave (evictions are held back).
 */
export function wantedTaints(node: Node, noExecute: string | undefined, now: number): Taint[] | undefined {
  const taints = node.spec?.taints ?? []
  const noSchedule = new Set(noScheduleKeys(node))
  const kept = taints.filter((taint) => {
    if (taint.effect === 'NoSchedule' && ours.has(taint.key)) return noSchedule.delete(taint.key)
    if (taint.effect === 'NoExecute' && (taint.key === notReadyTaint || taint.key === unreachableTaint)) return noExecute === 'keep' || taint.key === noExecute
    return true
  })
  const added: Taint[] = [...noSchedule].map((key) => ({ key, effect: 'NoSchedule', timeAdded: wireTime(now) }))
  if (noExecute !== undefined && noExecute !== 'keep' && !kept.some((taint) => taint.effect === 'NoExecute' && taint.key === noExecute)) added.push({ key: noExecute, effect: 'NoExecute', timeAdded: wireTime(now) })
  return added.length === 0 && kept.length === taints.length ? undefined : [...kept, ...added]
}
