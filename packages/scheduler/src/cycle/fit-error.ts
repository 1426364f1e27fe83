import { reasonLines } from '../framework/reason-lines.ts'
import type { Status } from '../framework/status.ts'

/** Why a pod fits nowhere. */
export interface Misfit {
  readonly allNodes: number
  /** Node → verdict. */
  readonly verdicts: ReadonlyMap<string, Status>
  /** A verdict on the pod itself, before any node was looked at. */
  readonly preFilter?: Status
  /** Why no room can be made for it. */
  readonly postFilter?: string
}

/** The message of FailedScheduling and of the PodScheduled condition (upstream: framework.FitError). */
export function misfitMessage(misfit: Misfit): string {
  if (misfit.allNodes === 0) return 'no nodes available to schedule pods'
  const reasons = misfit.preFilter ? misfit.preFilter.reasons.join(', ') : reasonLines(misfit.verdicts.values()).join(', ')
  const head = `0/${misfit.allNodes} nodes are available:${reasons === '' ? '' : ` ${reasons}.`}`
  return misfit.postFilter === undefined ? head : `${head} ${misfit.postFilter}`
}

/** The plugins that rejected the pod: an event that one of them cares about is worth another try. */
export function rejectingPlugins(misfit: Misfit): Set<string> {
  const names = new Set<string>()
  if (misfit.preFilter?.plugin) names.add(misfit.preFilter.plugin)
  for (const { plugin } of misfit.verdicts.values()) for (const name of plugin?.split(',') ?? []) names.add(name)
  return names
}
