import { reasonCounts } from '../framework/reason-lines.ts'
import type { Status } from '../framework/status.ts'

/** Why a pod fits nowhere. */
export interface Misfit {
  readonly allNodes: number
  /** Node → verdict. The engine puts it together when it is first asked for: it is to be read before the cache changes. */
  readonly verdicts: ReadonlyMap<string, Status>
  /** Each reason and at how many nodes it holds; empty where the pod itself was rejected. */
  readonly reasons: ReadonlyMap<string, number>
  /** The plugins that rejected the pod: an event that one of them cares about is worth another try. */
  readonly plugins: ReadonlySet<string>
  /** Those among them that said: not yet. */
  readonly pending: ReadonlySet<string>
  /** A verdict on the pod itself, before any node was looked at. */
  readonly preFilter?: Status
  /** Why no room can be made for it. */
  readonly postFilter?: string
}

/** The plugins that a verdict names. */
export function pluginsOf(status: Status): readonly string[] {
  return status.plugin?.split(',') ?? []
}

/** A misfit of which every node's verdict is known. */
export function misfitOf(allNodes: number, verdicts: ReadonlyMap<string, Status>, preFilter?: Status, postFilter?: string): Misfit {
  const plugins = new Set(preFilter ? pluginsOf(preFilter) : [])
  const pending = new Set(preFilter?.code === 'Pending' ? plugins : [])
  for (const verdict of verdicts.values()) {
    for (const name of pluginsOf(verdict)) {
      plugins.add(name)
      if (verdict.code === 'Pending') pending.add(name)
    }
  }
  return { allNodes, verdicts, reasons: reasonCounts(verdicts.values()), plugins, pending, ...(preFilter ? { preFilter } : {}), ...(postFilter === undefined ? {} : { postFilter }) }
}

/** The message of FailedScheduling and of the PodScheduled condition (upstream: framework.FitError). */
export function misfitMessage(misfit: Misfit): string {
  if (misfit.allNodes === 0) return 'no nodes available to schedule pods'
  const reasons = misfit.preFilter ? misfit.preFilter.reasons.join(', ') : [...misfit.reasons].map(([reason, count]) => `${count} ${reason}`).sort().join(', ')
  const head = `0/${misfit.allNodes} nodes are available:${reasons === '' ? '' : ` ${reasons}.`}`
  return misfit.postFilter === undefined ? head : `${head} ${misfit.postFilter}`
}

/** The plugins that rejected the pod. */
export function rejectingPlugins(misfit: Misfit): ReadonlySet<string> {
  return misfit.plugins
}
