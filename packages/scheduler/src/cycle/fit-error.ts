import type { Status } from '../framework/status.ts'

/** Why a pod fits nowhere. */
export interface Misfit {
  readonly allNodes: number
  /** Node → verdict. */
  readonly verdicts: ReadonlyMap<string, Status>
  /** A verdict on the pod itself, before any node was looked at. */
  readonly preFilter?: Status
}

/** Each reason and at how many nodes it holds. A node with several reasons counts for each. */
export function reasonCounts(misfit: Misfit): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { reasons } of misfit.verdicts.values()) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return counts
}

/** The message of FailedScheduling and of the PodScheduled condition (upstream: framework.FitError). */
export function misfitMessage(misfit: Misfit): string {
  if (misfit.allNodes === 0) return 'no nodes available to schedule pods'
  const head = `0/${misfit.allNodes} nodes are available:`
  if (misfit.preFilter) return `${head} ${misfit.preFilter.reasons.join(', ')}.`
  const lines = [...reasonCounts(misfit)].map(([reason, count]) => `${count} ${reason}`).sort()
  return lines.length === 0 ? head : `${head} ${lines.join(', ')}.`
}

/** The plugins that rejected the pod: an event that one of them cares about is worth another try. */
export function rejectingPlugins(misfit: Misfit): Set<string> {
  const names = new Set<string>()
  if (misfit.preFilter?.plugin) names.add(misfit.preFilter.plugin)
  for (const { plugin } of misfit.verdicts.values()) for (const name of plugin?.split(',') ?? []) names.add(name)
  return names
}
