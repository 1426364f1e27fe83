import { CycleState, Filters, runPreFilters, unresolvable, type NodeInfo, type PodInfo, type Profile, type Snapshot, type Status } from '@berth/scheduler/parts'

/** Throws where there is no time left; asked every few hundred nodes. */
export type CheckTime = () => void

const nodesBetweenChecks = 256

/** What the plugins say of each node, in the order of the nodes; undefined for those that pass. */
export type Verdicts = ReadonlyArray<Status | undefined>

/** Asks the profile's filters about each of the nodes. */
export function filterNodes(pod: PodInfo, nodes: readonly NodeInfo[], profile: Profile, snapshot: Snapshot, checkTime: CheckTime): Verdicts {
  const state = new CycleState()
  const { status, nodes: allowed, choosers } = runPreFilters(state, pod, profile, snapshot)
  if (status) return nodes.map(() => status)
  const filters = new Filters(state, pod, profile, snapshot)
  const notChosen = unresolvable(`node(s) didn't satisfy plugin(s) [${choosers.toSorted().join(' ')}]`)
  return nodes.map((node, i) => {
    if (i % nodesBetweenChecks === 0) checkTime()
    return allowed && !allowed.has(node.name) ? notChosen : filters.run(node)
  })
}

/** Each node's score, 0 to 100: the plugins' normalized scores, weighted. */
export function rateNodes(pod: PodInfo, nodes: readonly NodeInfo[], profile: Profile, snapshot: Snapshot, checkTime: CheckTime): number[] {
  checkTime()
  const state = new CycleState()
  // Some plugins prepare their scores before filtering; a verdict here was given by filter already.
  runPreFilters(state, pod, profile, snapshot)
  const totals = nodes.map(() => 0)
  let weights = 0
  for (const plugin of profile.plugins) {
    const weight = profile.weights.get(plugin.name) ?? 0
    if (!plugin.score || weight === 0) continue
    // Who has nothing to say of this pod does not make what the others say smaller.
    if (plugin.preScore?.(state, pod, nodes, snapshot)?.code === 'Skip') continue
    weights += weight
    const scores = nodes.map((node) => plugin.score?.(state, pod, node) ?? 0)
    plugin.normalize?.(state, pod, scores)
    checkTime()
    for (const [i, score] of scores.entries()) totals[i] = (totals[i] ?? 0) + score * weight
  }
  return weights === 0 ? totals : totals.map((total) => total / weights)
}
