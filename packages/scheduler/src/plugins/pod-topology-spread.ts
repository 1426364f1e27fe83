import type { TopologySpreadConstraint } from '@berth/api/types/core/v1'
import type { NodeInfo } from '../framework/node-info.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip, unresolvable, unschedulable } from '../framework/status.ts'
import { countMatching, defaultConstraints, hasAllKeys, hostnameLabel, isCounted, isIncluded, ownConstraints, systemDefaults, type Constraint } from './pod-topology-spread/constraints.ts'

const filterKey = 'PodTopologySpread/filter'
const scoreKey = 'PodTopologySpread/score'
const mismatch = "node(s) didn't match pod topology spread constraints"

interface FilterState {
  readonly constraint: Constraint
  readonly matchesItself: boolean
  /** Topology value → matching pods. */
  readonly counts: Map<string, number>
  /** The smallest of the counts; undefined after they changed, until it is asked for. */
  least: number | undefined
}

interface ScoreState {
  readonly constraints: readonly Constraint[]
  readonly counts: ReadonlyArray<Map<string, number>>
  readonly weights: readonly number[]
  readonly ignored: ReadonlySet<string>
}

/** Counts the pods of each constraint's domains over the nodes that count. */
function countDomains(pod: PodInfo, constraints: readonly Constraint[], snapshot: Snapshot): FilterState[] {
  const counts = constraints.map(() => new Map<string, number>())
  for (const node of snapshot.nodes) {
    if (!hasAllKeys(node, constraints)) continue
    for (const [i, constraint] of constraints.entries()) {
      const value = node.labels[constraint.topologyKey]
      if (value === undefined || !isIncluded(constraint, pod.pod, node)) continue
      const domain = counts[i]!
      domain.set(value, (domain.get(value) ?? 0) + countMatching(node, constraint.selector, pod.namespace))
    }
  }
  return constraints.map((constraint, i) => {
    const domain = counts[i]!
    return { constraint, matchesItself: constraint.selector.matches(pod.pod.metadata.labels), counts: domain, least: undefined }
  })
}

/** The smallest of the counts; of fewer domains than wanted, 0. */
function leastOf(state: FilterState): number {
  if (state.least !== undefined) return state.least
  const { counts, constraint } = state
  let least = counts.size < constraint.minDomains ? 0 : Infinity
  for (const count of counts.values()) if (count < least) least = count
  state.least = least
  return least
}

/** Counts one more pod on a node, or one less (`amount` -1). */
function updateDomains(states: readonly FilterState[], pod: PodInfo, other: PodInfo, node: NodeInfo, amount: 1 | -1): void {
  if (!hasAllKeys(node, states.map(({ constraint }) => constraint))) return
  for (const each of states) {
    const { constraint, counts } = each
    const value = node.labels[constraint.topologyKey]
    if (value === undefined || !isIncluded(constraint, pod.pod, node) || !isCounted(other, constraint.selector, pod.namespace)) continue
    counts.set(value, (counts.get(value) ?? 0) + amount)
    each.least = undefined
  }
}

/** Spreads pods over topology domains: hard constraints filter, soft ones score (KEP-895). */
export function podTopologySpread(defaults: readonly TopologySpreadConstraint[] = systemDefaults): Plugin {
  const systemDefaulted = defaults === systemDefaults
  const constraintsOf = (pod: PodInfo, snapshot: Snapshot, when: 'DoNotSchedule' | 'ScheduleAnyway'): Constraint[] =>
    (pod.pod.spec.topologySpreadConstraints ?? []).length > 0 ? ownConstraints(pod.pod, when) : defaultConstraints(defaults, pod, snapshot, when)
  const needsAllLabels = ({ pod }: PodInfo): boolean => (pod.spec.topologySpreadConstraints ?? []).length > 0 || !systemDefaulted
  return {
    name: 'PodTopologySpread',
    dependsOn: 'domain',
    fast: { kind: 'topology-spread', constraintsOf, needsAllLabels },
    events: () => [
      { event: 'AssignedPodAdded' }, { event: 'AssignedPodUpdated' }, { event: 'AssignedPodDeleted' }, { event: 'NodeAdded' }, { event: 'NodeLabelsChanged' },
      { event: 'NodeTaintsChanged' }, { event: 'NodeDeleted' }, { event: 'UnscheduledPodUpdated' },
    ],
    preFilter(state, pod, snapshot) {
      const constraints = constraintsOf(pod, snapshot, 'DoNotSchedule')
      if (constraints.length === 0) return { status: skip }
      state.write(filterKey, countDomains(pod, constraints, snapshot))
      return undefined
    },
    filter(state, _pod, node) {
      for (const each of state.read<FilterState[]>(filterKey) ?? []) {
        const { constraint, matchesItself, counts } = each
        const value = node.labels[constraint.topologyKey]
        if (value === undefined) return unresolvable(`${mismatch} (missing required label)`)
        if ((counts.get(value) ?? 0) + (matchesItself ? 1 : 0) - leastOf(each) > constraint.maxSkew) return unschedulable(mismatch)
      }
      return undefined
    },
    addPod(state, pod, other, node) {
      updateDomains(state.read<FilterState[]>(filterKey) ?? [], pod, other, node, 1)
    },
    removePod(state, pod, other, node) {
      updateDomains(state.read<FilterState[]>(filterKey) ?? [], pod, other, node, -1)
    },
    preScore(state, pod, nodes, snapshot) {
      const constraints = constraintsOf(pod, snapshot, 'ScheduleAnyway')
      if (constraints.length === 0) return skip
      const needsAll = needsAllLabels(pod)
      const ignored = new Set<string>()
      const counts = constraints.map(() => new Map<string, number>())
      for (const node of nodes) {
        if (needsAll && !hasAllKeys(node, constraints)) {
          ignored.add(node.name)
          continue
        }
        for (const [i, { topologyKey }] of constraints.entries()) {
          // Having no label is one more value of it, as upstream has it; that the weight is of.
          if (topologyKey !== hostnameLabel) counts[i]!.set(node.labels[topologyKey] ?? '', 0)
        }
      }
      const weights = constraints.map(({ topologyKey }, i) => Math.log((topologyKey === hostnameLabel ? nodes.length - ignored.size : counts[i]!.size) + 2))
      for (const node of snapshot.nodes) countSoft(pod, node, constraints, counts, needsAll)
      state.write(scoreKey, { constraints, counts, weights, ignored } satisfies ScoreState)
      return undefined
    },
    score(state, pod, node) {
      const known = state.read<ScoreState>(scoreKey)
      if (!known || known.ignored.has(node.name)) return Number.NaN
      let sum = 0
      for (const [i, { topologyKey, selector, maxSkew }] of known.constraints.entries()) {
        const value = node.labels[topologyKey]
        if (value === undefined) continue
        const count = topologyKey === hostnameLabel ? countMatching(node, selector, pod.namespace) : known.counts[i]!.get(value) ?? 0
        sum += count * known.weights[i]! + (maxSkew - 1)
      }
      return Math.round(sum)
    },
    normalize(_state, _pod, scores) {
      // Nodes without the labels have NaN: they get nothing, and do not count for the bounds.
      const valid = scores.filter((score) => !Number.isNaN(score))
      const min = Math.min(...valid)
      const max = Math.max(...valid)
      for (const [i, score] of scores.entries()) {
        if (Number.isNaN(score)) scores[i] = 0
        else scores[i] = max === 0 ? maxNodeScore : Math.trunc((maxNodeScore * (max + min - score)) / max)
      }
    },
  }
}

function countSoft(pod: PodInfo, node: NodeInfo, constraints: readonly Constraint[], counts: ReadonlyArray<Map<string, number>>, needsAll: boolean): void {
  if (needsAll && !hasAllKeys(node, constraints)) return
  for (const [i, constraint] of constraints.entries()) {
    const value = node.labels[constraint.topologyKey] ?? ''
    const domain = counts[i]!
    // Domains without a feasible node do not matter, and hosts are counted when they are scored.
    const before = domain.get(value)
    if (before === undefined || !isIncluded(constraint, pod.pod, node)) continue
    domain.set(value, before + countMatching(node, constraint.selector, pod.namespace))
  }
}
