import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import type { NodeInfo } from '../../framework/node-info.ts'
import type { Candidate, FailedCycle } from '../../framework/plugin.ts'
import { priorityOf, type PodInfo } from '../../framework/pod-info.ts'
import { unresolvable, type Status } from '../../framework/status.ts'
import { splitByBudgets } from './budgets.ts'
import { byImportance } from './importance.ts'

const noVictims = unresolvable('No preemption victims found for incoming pod')

/**
 * The fewest pods that have to go from a node: all pods of lower priority are taken away, and then brought back one by
 * one as long as the pod still fits; first those that a budget protects, each time the most important one first. Or why
 * the pod does not fit even without them.
 */
export function selectVictims(pod: PodInfo, node: NodeInfo, cycle: FailedCycle, budgets: readonly PodDisruptionBudget[]): Candidate | Status {
  const priority = priorityOf(pod)
  if (node.lowestPriority >= priority) return noVictims
  const lower = [...node.pods.values()].filter((other) => priorityOf(other) < priority).sort(byImportance)
  const trial = node.clone()
  for (const other of lower) cycle.remove(other, trial)
  const verdict = cycle.filter(trial)
  if (verdict) {
    for (const other of lower) cycle.add(other, trial)
    return verdict
  }
  const victims: PodInfo[] = []
  const reprieve = (other: PodInfo): boolean => {
    cycle.add(other, trial)
    if (!cycle.filter(trial)) return true
    cycle.remove(other, trial)
    victims.push(other)
    return false
  }
  const { violating, others } = splitByBudgets(lower, budgets)
  const violations = violating.filter((other) => !reprieve(other)).length
  for (const other of others) reprieve(other)
  for (const other of victims) cycle.add(other, trial)
  // The pod fits beside everyone here: it was something of another node that kept it out.
  if (victims.length === 0) return unresolvable('expected at least one victim pod on node')
  return { node: node.name, victims: victims.sort(byImportance), violations }
}
