import { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { FailedCycle, PostFilterResult } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { unresolvable, type Status } from '../framework/status.ts'
import type { NodeScore, PlainDecision } from './decision.ts'
import { Filters, runPreFilters } from './filters.ts'
import { misfitOf } from './fit-error.ts'

export function scoreNodes(state: CycleState, pod: PodInfo, feasible: readonly NodeInfo[], profile: Profile, snapshot: Snapshot): NodeScore[] {
  const totals = new Float64Array(feasible.length)
  const byPlugin = feasible.map((): Record<string, number> => ({}))
  for (const plugin of profile.plugins) {
    if (!plugin.score || plugin.preScore?.(state, pod, feasible, snapshot)?.code === 'Skip') continue
    const weight = profile.weights.get(plugin.name) ?? 0
    if (weight === 0) continue
    const scores = feasible.map((node) => plugin.score?.(state, pod, node) ?? 0)
    plugin.normalize?.(state, pod, scores)
    for (const [i, score] of scores.entries()) {
      byPlugin[i]![plugin.name] = score * weight
      totals[i] = (totals[i] ?? 0) + score * weight
    }
  }
  return feasible.map((node, i) => ({ node: node.name, total: totals[i] ?? 0, byPlugin: byPlugin[i]! }))
}

/** One of the nodes with the best total; which one among equals, `random` says (0 <= random() < 1). */
export function selectHost(scores: readonly NodeScore[], random: () => number): string {
  let best = scores[0]!
  let equals = 1
  for (const score of scores.slice(1)) {
    if (score.total > best.total) {
      best = score
      equals = 1
    } else if (score.total === best.total && random() < 1 / ++equals) best = score
  }
  return best.node
}

/** Asks the plugins that may know a way out: the first one that makes room answers; else all of their messages are told (upstream: RunPostFilterPlugins). */
export function postFilter(pod: PodInfo, profile: Profile, cycle: FailedCycle): PostFilterResult | undefined {
  const messages: string[] = []
  let last: PostFilterResult | undefined
  for (const plugin of profile.plugins) {
    const result = plugin.postFilter?.(pod, cycle)
    if (!result) continue
    if (result.nominatedNode) return result
    if (result.message !== undefined) messages.push(result.message)
    last = { ...last, ...result }
  }
  return last && { ...last, ...(messages.length === 0 ? {} : { message: messages.join(', ') }) }
}

/**
 * The plain path of a scheduling cycle: every plugin on every node, every reason kept. Pure: it reads the snapshot and
 * decides; nothing is assumed, bound or preempted.
 */
export function decidePlain(pod: PodInfo, profile: Profile, snapshot: Snapshot, random: () => number): PlainDecision {
  const verdicts = new Map<string, Status>()
  const allNodes = snapshot.nodes.length
  if (allNodes === 0) return { misfit: misfitOf(allNodes, verdicts) }
  const state = new CycleState()
  const { status, nodes: allowed, choosers } = runPreFilters(state, pod, profile, snapshot)
  const filters = new Filters(state, pod, profile, snapshot)
  const misfit = (preFilter?: Status): PlainDecision => {
    const preemption = postFilter(pod, profile, {
      snapshot, random,
      verdict: (node) => verdicts.get(node) ?? preFilter,
      filter: (node) => filters.run(node),
      add: (other, node) => filters.add(other, node),
      remove: (other, node) => filters.remove(other, node),
    })
    return { misfit: misfitOf(allNodes, verdicts, preFilter, preemption?.message), ...(preemption ? { preemption } : {}) }
  }
  if (status) return misfit(status)
  const nominated = nominatedNode(pod, snapshot, allowed)
  if (nominated && !filters.run(nominated)) return { node: nominated.name, feasible: [nominated.name], scores: [], state }
  const notChosen: Status = { ...unresolvable(`node(s) didn't satisfy plugin(s) [${[...choosers].sort().join(' ')}]`), plugin: choosers.join(',') }
  const feasible: NodeInfo[] = []
  for (const node of snapshot.nodes) {
    const verdict = allowed && !allowed.has(node.name) ? notChosen : filters.run(node)
    if (verdict) verdicts.set(node.name, verdict)
    else feasible.push(node)
  }
  if (feasible.length === 0) return misfit()
  const names = feasible.map((node) => node.name)
  // A single candidate needs no scores.
  if (feasible.length === 1) return { node: names[0]!, feasible: names, scores: [], state }
  const scores = scoreNodes(state, pod, feasible, profile, snapshot)
  return { node: selectHost(scores, random), feasible: names, scores, state }
}

/** The node that was cleared for the pod: where it fits, no other is looked at. */
export function nominatedNode(pod: PodInfo, snapshot: Snapshot, allowed: ReadonlySet<string> | undefined): NodeInfo | undefined {
  const name = snapshot.nominationOf(pod.key)
  return name === undefined || (allowed && !allowed.has(name)) ? undefined : snapshot.node(name)
}
