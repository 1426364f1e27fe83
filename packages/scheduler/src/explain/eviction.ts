import type { NodeInfo } from '../framework/node-info.ts'
import { priorityOf, type PodInfo } from '../framework/pod-info.ts'
import { byImportance } from '../plugins/default-preemption/importance.ts'
import type { Inquiry } from './verdicts.ts'

/** Whose leaving would make room on a node. */
export interface Eviction {
  readonly pods: readonly string[]
  /** Whether the scheduler itself would choose them: all are of lower priority and the pod may preempt. */
  readonly byPreemption: boolean
}

/** A pod that stays with its node whatever happens: the kubelet or a DaemonSet makes it again there. */
export function isBoundToNode({ pod }: PodInfo): boolean {
  return (pod.metadata.ownerReferences ?? []).some(({ kind, controller }) => controller === true && (kind === 'DaemonSet' || kind === 'Node'))
}

/**
 * The fewest pods found whose leaving would do: one pod if one is enough (the least important such), else as few as
 * remain when pods are brought back one by one, the most important first. Undefined where no pods' leaving would.
 */
export function evictionFor(pod: PodInfo, node: NodeInfo, inquiry: Inquiry): Eviction | undefined {
  const movable = [...node.pods.values()].filter((other) => other.key !== pod.key && !isBoundToNode(other)).sort(byImportance)
  const trial = node.clone()
  const fitsWithout = (others: readonly PodInfo[]): boolean => {
    for (const other of others) inquiry.remove(other, trial)
    const fits = inquiry.fits(trial)
    for (const other of others) inquiry.add(other, trial)
    return fits
  }
  const answer = (others: readonly PodInfo[]): Eviction => ({
    pods: others.map(({ key }) => key),
    byPreemption: pod.pod.spec.preemptionPolicy !== 'Never' && others.every((other) => priorityOf(other) < priorityOf(pod)),
  })
  const lower = movable.filter((other) => priorityOf(other) < priorityOf(pod))
  for (const group of [lower, movable]) {
    const single = group.toReversed().find((other) => fitsWithout([other]))
    if (single) return answer([single])
    if (group.length < 2 || !fitsWithout(group)) continue
    const leaving = new Set(group)
    for (const other of group) {
      leaving.delete(other)
      if (!fitsWithout([...leaving])) leaving.add(other)
    }
    return answer([...leaving])
  }
  return undefined
}
