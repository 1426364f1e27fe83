import { termMatches, type AffinityTerm } from '../framework/affinity-term.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip, unresolvable, unschedulable } from '../framework/status.ts'

const filterKey = 'InterPodAffinity/filter'
const scoreKey = 'InterPodAffinity/score'

/** Counts, or weights, by topology key and value. */
class DomainCounts {
  readonly #byKey = new Map<string, Map<string, number>>()

  add(node: NodeInfo, key: string, amount: number): void {
    const value = node.labels[key]
    if (value === undefined) return
    const values = this.#byKey.get(key) ?? new Map<string, number>()
    values.set(value, (values.get(value) ?? 0) + amount)
    this.#byKey.set(key, values)
  }

  /** As `add`, but a count that comes to nothing is as if it had never been. */
  update(node: NodeInfo, key: string, amount: number): void {
    this.add(node, key, amount)
    const values = this.#byKey.get(key)
    const value = node.labels[key]
    if (value === undefined || values?.get(value) !== 0) return
    values.delete(value)
    if (values.size === 0) this.#byKey.delete(key)
  }

  get(node: NodeInfo, key: string): number {
    const value = node.labels[key]
    return value === undefined ? 0 : this.#byKey.get(key)?.get(value) ?? 0
  }

  get isEmpty(): boolean {
    return this.#byKey.size === 0
  }

  /** Whether any of the node's domains has a count. */
  any(node: NodeInfo): boolean {
    for (const [key, values] of this.#byKey) {
      const value = node.labels[key]
      if (value !== undefined && (values.get(value) ?? 0) > 0) return true
    }
    return false
  }

  /** The sum over all of the node's domains. */
  sum(node: NodeInfo): number {
    let sum = 0
    for (const [key, values] of this.#byKey) {
      const value = node.labels[key]
      if (value !== undefined) sum += values.get(value) ?? 0
    }
    return sum
  }
}

interface FilterState {
  /** Domains in which a pod has required anti-affinity to this one. */
  readonly repelling: DomainCounts
  /** Pods that fulfil all of this pod's required affinity terms, by the terms' domains. */
  readonly attracting: DomainCounts
  /** Pods that this pod's required anti-affinity is about. */
  readonly avoided: DomainCounts
  /** Whether this pod fulfils its own affinity: the first of a group may go anywhere. */
  readonly matchesItself: boolean
  namespaceLabels(name: string): Readonly<Record<string, string>>
}

function buildFilterState(pod: PodInfo, snapshot: Snapshot): FilterState {
  const { required, requiredAnti } = pod.terms
  const namespaceLabels = snapshot.namespaceLabels(pod.namespace)
  const repelling = new DomainCounts()
  const attracting = new DomainCounts()
  const avoided = new DomainCounts()
  const labelsOf = (other: PodInfo): Readonly<Record<string, string>> => snapshot.namespaceLabels(other.namespace)
  for (const node of snapshot.nodes) {
    for (const other of node.podsWithAffinity.values()) {
      for (const term of other.terms.requiredAnti) if (termMatches(term, pod.pod, namespaceLabels)) repelling.add(node, term.topologyKey, 1)
    }
    if (required.length + requiredAnti.length === 0) continue
    for (const other of node.pods.values()) {
      if (required.length > 0 && required.every((term) => termMatches(term, other.pod, labelsOf(other)))) for (const term of required) attracting.add(node, term.topologyKey, 1)
      for (const term of requiredAnti) if (termMatches(term, other.pod, labelsOf(other))) avoided.add(node, term.topologyKey, 1)
    }
  }
  return { repelling, attracting, avoided, matchesItself: required.every((term) => termMatches(term, pod.pod, namespaceLabels)), namespaceLabels: (name) => snapshot.namespaceLabels(name) }
}

/** Counts one more pod on a node, or one less (`amount` -1). */
function updateFilterState(state: FilterState, pod: PodInfo, other: PodInfo, node: NodeInfo, amount: 1 | -1): void {
  const { required, requiredAnti } = pod.terms
  const namespaceLabels = state.namespaceLabels(pod.namespace)
  const otherLabels = state.namespaceLabels(other.namespace)
  for (const term of other.terms.requiredAnti) if (termMatches(term, pod.pod, namespaceLabels)) state.repelling.update(node, term.topologyKey, amount)
  if (required.length > 0 && required.every((term) => termMatches(term, other.pod, otherLabels))) for (const term of required) state.attracting.update(node, term.topologyKey, amount)
  for (const term of requiredAnti) if (termMatches(term, other.pod, otherLabels)) state.avoided.update(node, term.topologyKey, amount)
}

function satisfiesAffinity(terms: readonly AffinityTerm[], state: FilterState, node: NodeInfo): boolean {
  let all = true
  for (const term of terms) {
    if (node.labels[term.topologyKey] === undefined) return false
    if (state.attracting.get(node, term.topologyKey) <= 0) all = false
  }
  return all || (state.attracting.isEmpty && state.matchesItself)
}

/** Pod affinity and anti-affinity, required and preferred, both of the pod and of those that run (core/v1 PodAffinity). */
export function interPodAffinity(args: { hardPodAffinityWeight?: number; ignorePreferredTermsOfExistingPods?: boolean } = {}): Plugin {
  const hardWeight = args.hardPodAffinityWeight ?? 1
  return {
    name: 'InterPodAffinity',
    dependsOn: 'domain',
    fast: { kind: 'pod-affinity', hardWeight, ignorePreferredOfOthers: args.ignorePreferredTermsOfExistingPods ?? false },
    events: () => [
      { event: 'AssignedPodAdded' }, { event: 'AssignedPodUpdated' }, { event: 'AssignedPodDeleted' }, { event: 'NodeAdded' }, { event: 'NodeLabelsChanged' }, { event: 'NamespaceChanged' }, { event: 'UnscheduledPodUpdated' },
    ],
    preFilter(state, pod, snapshot) {
      const known = buildFilterState(pod, snapshot)
      if (known.repelling.isEmpty && pod.terms.required.length + pod.terms.requiredAnti.length === 0) return { status: skip }
      state.write(filterKey, known)
      return undefined
    },
    filter(state, pod, node) {
      const known = state.read<FilterState>(filterKey)
      if (!known) return undefined
      if (!satisfiesAffinity(pod.terms.required, known, node)) return unresolvable("node(s) didn't match pod affinity rules")
      if (pod.terms.requiredAnti.some((term) => known.avoided.get(node, term.topologyKey) > 0)) return unschedulable("node(s) didn't match pod anti-affinity rules")
      return known.repelling.any(node) ? unschedulable("node(s) didn't satisfy existing pods anti-affinity rules") : undefined
    },
    addPod(state, pod, other, node) {
      const known = state.read<FilterState>(filterKey)
      if (known) updateFilterState(known, pod, other, node, 1)
    },
    removePod(state, pod, other, node) {
      const known = state.read<FilterState>(filterKey)
      if (known) updateFilterState(known, pod, other, node, -1)
    },
    preScore(state, pod, nodes, snapshot) {
      const { preferred, preferredAnti } = pod.terms
      const prefers = preferred.length + preferredAnti.length > 0
      if (nodes.length === 0 || (!prefers && args.ignorePreferredTermsOfExistingPods)) return skip
      const namespaceLabels = snapshot.namespaceLabels(pod.namespace)
      const weights = new DomainCounts()
      for (const node of snapshot.nodes) {
        for (const other of (prefers ? node.pods : node.podsWithAffinity).values()) {
          const otherLabels = snapshot.namespaceLabels(other.namespace)
          for (const { term, weight } of preferred) if (termMatches(term, other.pod, otherLabels)) weights.add(node, term.topologyKey, weight)
          for (const { term, weight } of preferredAnti) if (termMatches(term, other.pod, otherLabels)) weights.add(node, term.topologyKey, -weight)
          if (hardWeight > 0) for (const term of other.terms.required) if (termMatches(term, pod.pod, namespaceLabels)) weights.add(node, term.topologyKey, hardWeight)
          if (args.ignorePreferredTermsOfExistingPods) continue
          for (const { term, weight } of other.terms.preferred) if (termMatches(term, pod.pod, namespaceLabels)) weights.add(node, term.topologyKey, weight)
          for (const { term, weight } of other.terms.preferredAnti) if (termMatches(term, pod.pod, namespaceLabels)) weights.add(node, term.topologyKey, -weight)
        }
      }
      if (weights.isEmpty) return skip
      state.write(scoreKey, weights)
      return undefined
    },
    score(state, _pod, node) {
      return state.read<DomainCounts>(scoreKey)?.sum(node) ?? 0
    },
    normalize(_state, _pod, scores) {
      const min = Math.min(...scores)
      const spread = Math.max(...scores) - min
      for (const [i, score] of scores.entries()) scores[i] = spread > 0 ? Math.trunc(maxNodeScore * ((score - min) / spread)) : 0
    },
  }
}
