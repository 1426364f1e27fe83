import type { FailedCycle } from '../../framework/plugin.ts'
import { priorityOf, type PodInfo } from '../../framework/pod-info.ts'

/** Whether the scheduler itself is what makes a pod go. */
function isBeingPreempted({ pod }: PodInfo): boolean {
  if (!pod.metadata.deletionTimestamp) return false
  const condition = pod.status?.conditions?.find((c) => c.type === 'DisruptionTarget')
  return condition?.status === 'True' && condition.reason === 'PreemptionByScheduler'
}

/** Why a pod may not preempt (now), in upstream's words; undefined where it may. */
export function whyNotEligible(pod: PodInfo, cycle: FailedCycle): string | undefined {
  if (pod.pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const nominated = cycle.snapshot.nominationOf(pod.key) ?? pod.pod.status?.nominatedNodeName
  if (!nominated) return undefined
  // Its node has become hopeless: whoever is still going there does not matter.
  if (cycle.verdict(nominated)?.code === 'UnschedulableAndUnresolvable') return undefined
  for (const other of cycle.snapshot.node(nominated)?.pods.values() ?? []) {
    if (priorityOf(other) < priorityOf(pod) && isBeingPreempted(other)) return 'not eligible due to a terminating pod on the nominated node.'
  }
  return undefined
}
