import { termMatches, type AffinityTerm, type AffinityTerms } from '../framework/affinity-term.ts'
import type { FastForm } from '../framework/fast-form.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { unresolvable, unschedulable } from '../framework/status.ts'
import type { ClusterIndex } from './cluster-index.ts'
import type { CountVector } from './count-vector.ts'
import { AffinityRule } from './affinity-rule.ts'
import { DomainCounter, type Source } from './domain-counter.ts'
import { reject } from './merge.ts'
import type { PodMatcher } from './pod-index.ts'
import { Scratch } from './scratch.ts'
import { passes, type Statuses } from './statuses.ts'
import type { HeldTerm } from './term-table.ts'
import { noDomain, type TopologyColumn } from './topology.ts'

type Form = Extract<FastForm, { kind: 'pod-affinity' }>

/** Adds a number of pods by slot to their domains, times `weight`; says whether any of them is in a domain at all. */
function addByDomain(counts: CountVector, topology: TopologyColumn, into: Int32Array | Float64Array, weight: number): boolean {
  const { domains } = topology
  const { dense } = counts
  let any = false
  if (!dense) {
    counts.forEach((slot, count) => {
      const domain = domains[slot] ?? noDomain
      if (domain === noDomain) return
      into[domain] = (into[domain] ?? 0) + count * weight
      any = true
    })
    return any
  }
  const end = Math.min(dense.length, domains.length)
  for (let slot = 0; slot < end; slot++) {
    const count = dense[slot]!
    if (count === 0) continue
    const domain = domains[slot]!
    if (domain === noDomain) continue
    into[domain] = into[domain]! + count * weight
    any = true
  }
  return any
}

const termIds = new WeakMap<AffinityTerms, number>()
let ids = 0

/** Pods with equal terms share them: a number for the terms stands for all of them. */
function idOf(terms: AffinityTerms): number {
  let id = termIds.get(terms)
  if (id === undefined) termIds.set(terms, id = ++ids)
  return id
}

/** InterPodAffinity over counts of pods and of held terms by slot. `prepare` comes first; the others speak of that pod. */
export class PodAffinity {
  readonly name: string
  readonly #index: ClusterIndex
  readonly #form: Form
  readonly #scratch = new Scratch()
  readonly #held: HeldTerm[] = []
  readonly #unmatched: number
  readonly #avoided: number
  readonly #repelled: number
  #pod: PodInfo | undefined
  #repelling = 0
  /** Whether it may reject any node, and whether it may score. */
  filters = false
  scores = false

  constructor(name: string, index: ClusterIndex, form: Form, statuses: Statuses) {
    this.name = name
    this.#index = index
    this.#form = form
    this.#unmatched = statuses.idOf(unresolvable("node(s) didn't match pod affinity rules"), name)
    this.#avoided = statuses.idOf(unschedulable("node(s) didn't match pod anti-affinity rules"), name)
    this.#repelled = statuses.idOf(unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"), name)
  }

  prepare(pod: PodInfo): void {
    const { terms } = this.#index
    const { required, requiredAnti, preferred, preferredAnti } = pod.terms
    this.#pod = pod
    this.#held.length = 0
    this.#repelling = 0
    if (!terms.isEmpty) terms.about(pod, this.#index.cache.namespaceLabels(pod.namespace), this.#held)
    for (const { kind } of this.#held) if (kind === 'requiredAnti') this.#repelling++
    const prefers = preferred.length + preferredAnti.length > 0
    this.filters = this.#repelling + required.length + requiredAnti.length > 0
    this.scores = prefers || (!this.#form.ignorePreferredOfOthers && this.#held.length > this.#repelling)
  }

  /** For equal texts the same rule holds for two pods. */
  get text(): string {
    const pod = this.#pod
    if (!pod || (!this.filters && !this.scores)) return ''
    let text = pod.hasAffinity ? `${idOf(pod.terms)}${this.#matchesItself(pod) ? '!' : ''}` : ''
    for (const { id } of this.#held) text += ` ${id}`
    return text
  }

  /** The rule for rungs that holds for the pod and its like; undefined where it has no say. */
  rule(weight: number): AffinityRule | undefined {
    const pod = this.#pod
    if (!pod || (!this.filters && !this.scores)) return undefined
    const { columns, pods } = this.#index
    const matchers: PodMatcher[] = []
    const matching = (terms: readonly AffinityTerm[]): CountVector => {
      const matcher = pods.ofTerms(terms)
      matchers.push(matcher)
      return matcher.counts
    }
    const sources = (): Map<string, Source[]> => new Map<string, Source[]>()
    const add = (to: Map<string, Source[]>, key: string, counts: CountVector, by: number): void => {
      const list = to.get(key)
      if (list) list.push({ counts, weight: by })
      else to.set(key, [{ counts, weight: by }])
    }
    const counter = (key: string, from: readonly Source[]): DomainCounter => {
      const topology = columns.topology(key)
      return new DomainCounter(columns, topology, from, topology.isPerNode)
    }
    const { required, requiredAnti, preferred, preferredAnti } = pod.terms
    const repelling = sources()
    for (const term of requiredAnti) add(repelling, term.topologyKey, matching([term]), 1)
    const weights = sources()
    if (this.scores) {
      for (const { term, weight: by } of preferred) add(weights, term.topologyKey, matching([term]), by)
      for (const { term, weight: by } of preferredAnti) add(weights, term.topologyKey, matching([term]), -by)
    }
    for (const { kind, term, weight: by, holders } of this.#held) {
      if (kind === 'requiredAnti') add(repelling, term.topologyKey, holders, 1)
      else if (!this.scores) continue
      else if (kind === 'required') {
        if (this.#form.hardWeight > 0) add(weights, term.topologyKey, holders, this.#form.hardWeight)
      } else if (!this.#form.ignorePreferredOfOthers) add(weights, term.topologyKey, holders, by)
    }
    const counters = (from: Map<string, Source[]>): DomainCounter[] => [...from].map(([key, each]) => counter(key, each))
    const parts = {
      name: this.name, weight,
      attracting: required.map((term) => counter(term.topologyKey, [{ counts: matching(required), weight: 1 }])),
      repelling: counters(repelling), weights: counters(weights), matchesItself: this.#matchesItself(pod),
    }
    const all = [...parts.attracting, ...parts.repelling, ...parts.weights]
    return new AffinityRule({ ...parts, isCurrent: () => matchers.every(({ isForgotten }) => !isForgotten) && all.every(({ isPerNode, topology }) => !isPerNode || topology.isPerNode) })
  }

  #matchesItself(pod: PodInfo): boolean {
    const { required } = pod.terms
    if (required.length === 0) return false
    const labels = this.#index.cache.namespaceLabels(pod.namespace)
    return required.every((term) => termMatches(term, pod.pod, labels))
  }

  filter(verdicts: Int32Array, orders: Uint8Array, order: number): void {
    const pod = this.#pod
    if (!pod) return
    if (pod.terms.required.length > 0) this.#filterRequired(pod, verdicts, orders, order)
    const { columns, pods } = this.#index
    for (const term of pod.terms.requiredAnti) {
      const topology = columns.topology(term.topologyKey)
      const counts = this.#scratch.ints(0, topology.size, 0)
      if (addByDomain(pods.ofTerms([term]).counts, topology, counts, 1)) this.#rejectCounted(topology, counts, this.#avoided, verdicts, orders, order)
    }
    if (this.#repelling === 0) return
    // Held terms of one topology key are one: it is enough that there is any.
    const byKey = new Map<string, Int32Array>()
    for (const { kind, term, holders } of this.#held) {
      if (kind !== 'requiredAnti') continue
      const topology = columns.topology(term.topologyKey)
      let counts = byKey.get(term.topologyKey)
      if (!counts) byKey.set(term.topologyKey, counts = this.#scratch.ints(byKey.size, topology.size, 0))
      addByDomain(holders, topology, counts, 1)
    }
    for (const [key, counts] of byKey) this.#rejectCounted(columns.topology(key), counts, this.#repelled, verdicts, orders, order)
  }

  #rejectCounted({ domains }: TopologyColumn, counts: Int32Array, verdict: number, verdicts: Int32Array, orders: Uint8Array, order: number): void {
    const { used } = this.#index.columns
    for (let slot = 0; slot < used; slot++) {
      const domain = domains[slot]!
      if (domain !== noDomain && counts[domain]! > 0) this.#reject(verdicts, orders, slot, verdict, order)
    }
  }

  /** What this plugin said first of a node stays. */
  #reject(verdicts: Int32Array, orders: Uint8Array, slot: number, verdict: number, order: number): void {
    if (verdicts[slot] === passes || orders[slot] !== order) reject(verdicts, orders, slot, verdict, order)
  }

  #filterRequired(pod: PodInfo, verdicts: Int32Array, orders: Uint8Array, order: number): void {
    const { columns, pods } = this.#index
    const { required } = pod.terms
    const { used } = columns
    const attracting = pods.ofTerms(required).counts
    const missing = 1
    const apart = 2
    const found = this.#scratch.ints(0, used, 0)
    let isEmpty = true
    for (const { topologyKey } of required) {
      const topology = columns.topology(topologyKey)
      const counts = this.#scratch.ints(1, topology.size, 0)
      if (addByDomain(attracting, topology, counts, 1)) isEmpty = false
      const { domains } = topology
      for (let slot = 0; slot < used; slot++) {
        const domain = domains[slot]!
        if (domain === noDomain) found[slot] = missing
        else if (counts[domain]! <= 0 && found[slot] === 0) found[slot] = apart
      }
    }
    // The first of a group may go anywhere.
    const isFirst = isEmpty && this.#matchesItself(pod)
    for (let slot = 0; slot < used; slot++) {
      const what = found[slot]!
      if (what === missing || (what === apart && !isFirst)) this.#reject(verdicts, orders, slot, this.#unmatched, order)
    }
  }

  /** Computes the normalized scores of `count` slots; false where the plugin has nothing to say. */
  score(slots: Int32Array, count: number, into: Float64Array): boolean {
    const pod = this.#pod
    if (!pod || !this.scores) return false
    const { columns, pods } = this.#index
    const sums = new Map<string, Float64Array>()
    let any = false
    const add = (key: string, counts: CountVector, weight: number): void => {
      const topology = columns.topology(key)
      let sum = sums.get(key)
      if (!sum) sums.set(key, sum = this.#scratch.floats(sums.size, topology.size, 0))
      if (addByDomain(counts, topology, sum, weight)) any = true
    }
    const { preferred, preferredAnti } = pod.terms
    for (const { term, weight } of preferred) add(term.topologyKey, pods.ofTerms([term]).counts, weight)
    for (const { term, weight } of preferredAnti) add(term.topologyKey, pods.ofTerms([term]).counts, -weight)
    for (const { kind, term, weight, holders } of this.#held) {
      if (kind === 'required') {
        if (this.#form.hardWeight > 0) add(term.topologyKey, holders, this.#form.hardWeight)
      } else if (kind !== 'requiredAnti' && !this.#form.ignorePreferredOfOthers) add(term.topologyKey, holders, weight)
    }
    if (!any) return false
    into.fill(0, 0, count)
    for (const [key, sum] of sums) {
      const { domains } = columns.topology(key)
      for (let i = 0; i < count; i++) {
        const domain = domains[slots[i]!]!
        if (domain !== noDomain) into[i] = into[i]! + sum[domain]!
      }
    }
    let min = Infinity
    let max = -Infinity
    for (let i = 0; i < count; i++) {
      const score = into[i]!
      if (score < min) min = score
      if (score > max) max = score
    }
    const spread = max - min
    for (let i = 0; i < count; i++) into[i] = spread > 0 ? Math.trunc(maxNodeScore * ((into[i]! - min) / spread)) : 0
    return true
  }
}
