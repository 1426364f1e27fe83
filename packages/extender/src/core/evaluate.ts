import { CycleState, Filters, runPreFilters, scoreNodes, unresolvable, type NodeInfo, type PodInfo, type Profile, type Snapshot, type Status } from '@berth/scheduler/parts'

/** Throws where there is no time left; asked every few hundred nodes. */
export type CheckTime = () => void

const nodesBetweenChecks = 256

/** What the plugins say of each node: those that pass, in the order given, and why the others do not. */
export interface Filtered {
  readonly passed: readonly NodeInfo[]
  readonly failed: ReadonlyMap<string, Status>
}

/** Asks the profile's filters about each of the nodes. */
export function filterNodes(pod: PodInfo, nodes: readonly NodeInfo[], profile: Profile, snapshot: Snapshot, checkTime: CheckTime): Filtered {
  const state = new CycleState()
  const failed = new Map<string, Status>()
  const { status, nodes: allowed, choosers } = runPreFilters(state, pod, profile, snapshot)
  if (status) {
    for (const { name } of nodes) failed.set(name, status)
    return { passed: [], failed }
  }
  const filters = new Filters(state, pod, profile, snapshot)
  const notChosen = unresolvable(`node(s) didn't satisfy plugin(s) [${choosers.toSorted().join(' ')}]`)
  const passed: NodeInfo[] = []
  for (const [i, node] of nodes.entries()) {
    if (i % nodesBetweenChecks === 0) checkTime()
    const verdict = allowed && !allowed.has(node.name) ? notChosen : filters.run(node)
    if (verdict) failed.set(node.name, verdict)
    else passed.push(node)
  }
  return { passed, failed }
}

/** Each node's score, 0 to 100: the plugins' normalized scores, weighted. */
export function rateNodes(pod: PodInfo, nodes: readonly NodeInfo[], profile: Profile, snapshot: Snapshot, checkTime: CheckTime): number[] {
  checkTime()
  const state = new CycleState()
  // Some plugins prepare their scores before filtering; a verdict here was given by filter already.
  runPreFilters(state, pod, profile, snapshot)
  const weights = profile.plugins.reduce((sum, { name, score }) => sum + (score ? profile.weights.get(name) ?? 0 : 0), 0)
  const scores = scoreNodes(state, pod, nodes, profile, snapshot)
  checkTime()
  return scores.map(({ total }) => weights === 0 ? 0 : total / weights)
}
