import { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { unresolvable, type Status } from '../framework/status.ts'
import type { Misfit } from './fit-error.ts'

/** A node's total, and what each plugin gave to it: normalized and weighted. */
export interface NodeScore {
  readonly node: string
  readonly total: number
  readonly byPlugin: Readonly<Record<string, number>>
}

/** What a cycle came to: a node, with every feasible node's scores, or why there is none. */
export type Decision =
  | { readonly node: string; readonly feasible: readonly string[]; readonly scores: readonly NodeScore[]; readonly state: CycleState }
  | { readonly node?: undefined; readonly misfit: Misfit }

/** What the pod's PreFilter plugins say: a verdict on the pod, or the nodes that are left and who chose them. */
function runPreFilters(state: CycleState, pod: PodInfo, profile: Profile, snapshot: Snapshot): { status?: Status; nodes?: ReadonlySet<string>; choosers: string[] } {
  let nodes: ReadonlySet<string> | undefined
  const choosers: string[] = []
  for (const plugin of profile.plugins) {
    const result = plugin.preFilter?.(state, pod, snapshot)
    if (result?.status?.code === 'Skip') state.skippedFilters.add(plugin.name)
    else if (result?.status) return { status: { ...result.status, plugin: plugin.name }, choosers }
    if (!result?.nodes) continue
    choosers.push(plugin.name)
    nodes = nodes ? new Set([...nodes].filter((name) => result.nodes?.has(name))) : result.nodes
    if (nodes.size === 0) {
      const names = [...choosers].sort()
      return { status: { ...unresolvable(`node(s) didn't satisfy plugin(s) ${names.length > 1 ? `[${names.join(' ')}] simultaneously` : `[${names[0]}]`}`), plugin: names.join(',') }, choosers }
    }
  }
  return nodes ? { nodes, choosers } : { choosers }
}

/** A node's verdict: that of the first plugin that rejects it. */
function filterNode(state: CycleState, pod: PodInfo, node: NodeInfo, filters: readonly Plugin[]): Status | undefined {
  for (const plugin of filters) {
    const status = plugin.filter?.(state, pod, node)
    if (status) return { ...status, plugin: plugin.name }
  }
  return undefined
}

function scoreNodes(state: CycleState, pod: PodInfo, feasible: readonly NodeInfo[], profile: Profile, snapshot: Snapshot): NodeScore[] {
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
function selectHost(scores: readonly NodeScore[], random: () => number): string {
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

/**
 * The plain path of a scheduling cycle: every plugin on every node, every reason kept. Pure: it reads the snapshot and
 * decides; nothing is assumed or bound.
 */
export function decide(pod: PodInfo, profile: Profile, snapshot: Snapshot, random: () => number): Decision {
  const verdicts = new Map<string, Status>()
  const allNodes = snapshot.nodes.length
  if (allNodes === 0) return { misfit: { allNodes, verdicts } }
  const state = new CycleState()
  const { status, nodes: allowed, choosers } = runPreFilters(state, pod, profile, snapshot)
  if (status) return { misfit: { allNodes, verdicts, preFilter: status } }
  const filters = profile.plugins.filter((plugin) => plugin.filter && !state.skippedFilters.has(plugin.name))
  const notChosen: Status = { ...unresolvable(`node(s) didn't satisfy plugin(s) [${[...choosers].sort().join(' ')}]`), plugin: choosers.join(',') }
  const feasible: NodeInfo[] = []
  for (const node of snapshot.nodes) {
    const verdict = allowed && !allowed.has(node.name) ? notChosen : filterNode(state, pod, node, filters)
    if (verdict) verdicts.set(node.name, verdict)
    else feasible.push(node)
  }
  if (feasible.length === 0) return { misfit: { allNodes, verdicts } }
  const names = feasible.map((node) => node.name)
  // A single candidate needs no scores.
  if (feasible.length === 1) return { node: names[0]!, feasible: names, scores: [], state }
  const scores = scoreNodes(state, pod, feasible, profile, snapshot)
  return { node: selectHost(scores, random), feasible: names, scores, state }
}
