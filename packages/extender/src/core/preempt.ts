import { byImportance, CycleState, Filters, priorityOf, runPreFilters, splitByBudgets, type NodeInfo, type PodInfo, type Profile, type Snapshot } from '@berth/scheduler/parts'
import type { MetaVictims } from '../wire/protocol.ts'
import type { CheckTime } from './evaluate.ts'

/**
 * Which of the candidates help by this profile's plugins, too, and with which victims: those that were named, and where
 * they are not enough the fewest others of lower priority, chosen as the scheduler chooses. A candidate on which the pod
 * fits at no price is left out. Victims that are not (or no longer) known here are taken as gone.
 */
export function reviewCandidates(pod: PodInfo, candidates: ReadonlyMap<string, MetaVictims>, profile: Profile, snapshot: Snapshot, checkTime: CheckTime): Record<string, MetaVictims> {
  const state = new CycleState()
  const { status, nodes: allowed } = runPreFilters(state, pod, profile, snapshot)
  const kept: Record<string, MetaVictims> = {}
  if (status) return kept
  const filters = new Filters(state, pod, profile, snapshot)
  for (const [name, named] of candidates) {
    checkTime()
    const node = snapshot.node(name)
    if (!node || (allowed && !allowed.has(name))) continue
    const reviewed = review(pod, node, named, filters, snapshot)
    if (reviewed) kept[name] = reviewed
  }
  return kept
}

function review(pod: PodInfo, node: NodeInfo, named: MetaVictims, filters: Filters, snapshot: Snapshot): MetaVictims | undefined {
  const uids = new Set(named.Pods.map(({ UID }) => UID))
  const trial = node.clone()
  const away: PodInfo[] = []
  const remove = (other: PodInfo): void => {
    filters.remove(other, trial)
    away.push(other)
  }
  try {
    for (const other of node.pods.values()) if (uids.has(other.pod.metadata.uid ?? '')) remove(other)
    if (!filters.run(trial)) return named
    const lower = [...trial.pods.values()].filter((other) => priorityOf(other) < priorityOf(pod)).sort(byImportance)
    if (lower.length === 0) return undefined
    for (const other of lower) remove(other)
    if (filters.run(trial)) return undefined
    const victims: PodInfo[] = []
    const stays = (other: PodInfo): boolean => {
      filters.add(other, trial)
      if (!filters.run(trial)) return true
      filters.remove(other, trial)
      victims.push(other)
      return false
    }
    const { violating, others } = splitByBudgets(lower, snapshot.budgets)
    const violations = violating.filter((other) => !stays(other)).length
    for (const other of others) stays(other)
    // The most important one first, as kube-scheduler takes them; a named one that is not known here is the scheduler's to know.
    const known = [...node.pods.values()].filter((other) => uids.has(other.pod.metadata.uid ?? '')).concat(victims).sort(byImportance).map(({ pod: { metadata } }) => metadata.uid ?? '')
    const all = [...known, ...[...uids].filter((uid) => !known.includes(uid))]
    return { Pods: all.map((UID) => ({ UID })), NumPDBViolations: named.NumPDBViolations + violations }
  } finally {
    // What plugins counted off is counted again: the next candidate starts from the cluster as it is.
    for (const other of away) if (!trial.pods.has(other.key)) filters.add(other, trial)
  }
}
