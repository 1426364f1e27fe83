import type { Pod, Taint } from '@berth/api/types/core/v1'
import { tolerates } from '@berth/pod-rules'

/**
 * When a pod must leave a node with these NoExecute taints: a time in ms, or undefined for never. A pod that does not tolerate a taint leaves at once; with
 * `tolerationSeconds` it stays that long after the taint was added (the least of those that apply); without, for good.
 */
export function evictionTime(pod: Pod, taints: readonly Taint[], now: number): number | undefined {
  const harmful = taints.filter((taint) => taint.effect === 'NoExecute')
  if (harmful.length === 0) return undefined
  const tolerations = pod.spec.tolerations ?? []
  const times: number[] = []
  for (const taint of harmful) {
    const using = tolerations.filter((toleration) => tolerates(toleration, taint))
    if (using.length === 0) return now
    const added = taint.timeAdded === undefined ? now : Date.parse(taint.timeAdded)
    for (const { tolerationSeconds } of using) if (tolerationSeconds !== undefined) times.push(added + Math.max(0, tolerationSeconds) * 1000)
  }
  return times.length === 0 ? undefined : Math.max(now, Math.min(...times))
}
