import type { Selector } from '@berth/api'
import { selectorText } from '../framework/affinity-term.ts'
import type { FastForm } from '../framework/fast-form.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { textOf } from '../framework/text-of.ts'
import { unresolvable, unschedulable } from '../framework/status.ts'
import { hostnameLabel, isIncluded, type Constraint } from '../plugins/pod-topology-spread/constraints.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { CountVector } from './count-vector.ts'
import { Lru } from './lru.ts'
import { DomainCounter } from './domain-counter.ts'
import { reject } from './merge.ts'
import type { PodMatcher } from './pod-index.ts'
import { FilterColumn } from './plugin-columns.ts'
import { Scratch } from './scratch.ts'
import { SpreadRule, type SpreadPart } from './spread-rule.ts'
import { passes, type Statuses } from './statuses.ts'
import { noDomain, type TopologyColumn } from './topology.ts'

type Form = Extract<FastForm, { kind: 'topology-spread' }>

interface Prepared { readonly hard: readonly Rule[]; readonly soft: readonly Rule[]; readonly text: string }
interface Rule { readonly constraint: Constraint; readonly selector: Selector; readonly text: string }

const none: Prepared = { hard: [], soft: [], text: '' }
const noPods = new CountVector()
const mismatch = "node(s) didn't match pod topology spread constraints"
const rulesKept = 2048
const inclusionsKept = 32

/** What the inclusion policies of a constraint read of a pod; '' where every node counts. */
function inclusionText({ honorsAffinity, honorsTaints }: Constraint, { pod: { spec } }: PodInfo): string {
  const required = honorsAffinity ? spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution : undefined
  const nodeSelector = honorsAffinity ? spec.nodeSelector : undefined
  if (!required && !nodeSelector && !honorsTaints) return ''
  return JSON.stringify([nodeSelector, required, honorsTaints ? spec.tolerations ?? [] : undefined])
}

/** PodTopologySpread over counts of pods by slot. `prepare` comes first; the others speak of that pod. */
export class TopologySpread {
  readonly name: string
  readonly #index: ClusterIndex
  readonly #form: Form
  readonly #scratch = new Scratch()
  readonly #rules = new Lru<Prepared>(rulesKept)
  readonly #inclusions = new Lru<FilterColumn>(inclusionsKept)
  readonly #unlabelled: number
  readonly #mismatch: number
  #groupsVersion = -1
  #pod: PodInfo | undefined
  #current: Prepared = none

  constructor(name: string, index: ClusterIndex, form: Form, statuses: Statuses) {
    this.name = name
    this.#index = index
    this.#form = form
    this.#unlabelled = statuses.idOf(unresolvable(`${mismatch} (missing required label)`), name)
    this.#mismatch = statuses.idOf(unschedulable(mismatch), name)
  }

  prepare(pod: PodInfo): void {
    this.#pod = pod
    this.#current = this.#rulesOf(pod)
  }

  get filters(): boolean {
    return this.#current.hard.length > 0
  }

  get scores(): boolean {
    return this.#current.soft.length > 0
  }

  #rulesOf(pod: PodInfo): Prepared {
    const { cache } = this.#index
    if (this.#groupsVersion !== cache.groupsVersion) {
      this.#rules.clear()
      this.#groupsVersion = cache.groupsVersion
    }
    const { spec, metadata } = pod.pod
    const own = spec.topologySpreadConstraints
    const owner = own?.length ? undefined : metadata.ownerReferences?.find(({ controller }) => controller)
    const key = `${pod.texts.group} ${own?.length ? textOf(own) : owner ? `${owner.apiVersion} ${owner.kind} ${owner.name}` : ''}`
    let known = this.#rules.get(key)
    if (!known) {
      const rules = (when: 'DoNotSchedule' | 'ScheduleAnyway'): Rule[] =>
        this.#form.constraintsOf(pod, cache, when).map((constraint) => ({ constraint, selector: constraint.selector, text: selectorText(constraint.selector) }))
      const hard = rules('DoNotSchedule')
      const soft = rules('ScheduleAnyway')
      const texts = (list: readonly Rule[]): unknown[] => list.map(({ constraint, text }) => ({ ...constraint, selector: text }))
      known = { hard, soft, text: hard.length + soft.length === 0 ? '' : JSON.stringify([pod.namespace, this.#form.needsAllLabels(pod), texts(hard), texts(soft)]) }
      this.#rules.set(key, known)
    }
    return known
  }

  /** The pods that a constraint counts. A selector that restricts nothing counts none. */
  #countsOf({ selector, text }: Rule, pod: PodInfo): CountVector {
    return selector.isEmpty() || selector.nothing ? noPods : this.#index.pods.ofNamespace(pod.namespace, selector, text).counts
  }

  /** By slot, whether the node's pods count by the constraint's inclusion policies: 0 where they do. Undefined: everywhere. */
  #inclusion(constraint: Constraint, pod: PodInfo): Int32Array | undefined {
    const column = this.#inclusionColumn(constraint, pod)
    return column === undefined || column.rejected === 0 ? undefined : column.statuses
  }

  #inclusionColumn(constraint: Constraint, pod: PodInfo): FilterColumn | undefined {
    const key = inclusionText(constraint, pod)
    if (key === '') return undefined
    let column = this.#inclusions.get(key)
    if (!column) this.#inclusions.set(key, column = new FilterColumn(this.#index.columns, 'node'))
    column.sync((node) => (isIncluded(constraint, pod.pod, node) ? passes : 1))
    return column
  }

  /** For equal texts the same rule holds for two pods. */
  get text(): string {
    const pod = this.#pod
    const { hard, soft, text } = this.#current
    if (!pod || text === '') return ''
    let own = text
    for (const { selector } of hard) own += selector.matches(pod.pod.metadata.labels) ? '!' : '.'
    for (const { constraint } of hard) own += inclusionText(constraint, pod)
    for (const { constraint } of soft) own += inclusionText(constraint, pod)
    return own
  }

  /** The rule for rungs that holds for the pod and its like; undefined where it has no say. */
  rule(weight: number): SpreadRule | undefined {
    const pod = this.#pod
    const { hard, soft } = this.#current
    if (!pod || hard.length + soft.length === 0) return undefined
    const { columns, pods } = this.#index
    const matchers: PodMatcher[] = []
    const refreshes: (() => void)[] = []
    const needsAllLabels = this.#form.needsAllLabels(pod)
    const isLabelled = (rules: readonly Rule[]) => {
      const topologies = rules.map(({ constraint }) => columns.topology(constraint.topologyKey))
      return (slot: number): boolean => {
        for (let i = 0; i < topologies.length; i++) if (topologies[i]!.domains[slot] === noDomain) return false
        return true
      }
    }
    const part = (rule: Rule, labelled: ((slot: number) => boolean) | undefined, isSoft: boolean): SpreadPart => {
      const { constraint, selector } = rule
      const topology = columns.topology(constraint.topologyKey)
      const matcher = selector.isEmpty() || selector.nothing ? undefined : pods.ofNamespace(pod.namespace, selector, rule.text)
      if (matcher) matchers.push(matcher)
      const sources = matcher ? [{ counts: matcher.counts, weight: 1 }] : []
      const matchesItself = selector.matches(pod.pod.metadata.labels)
      // What a host has is counted on the host itself, whatever else counts.
      if (isSoft && constraint.topologyKey === hostnameLabel) return { constraint, matchesItself, counter: new DomainCounter(columns, topology, sources, true) }
      const column = this.#inclusionColumn(constraint, pod)
      if (column) refreshes.push(() => column.sync((node) => (isIncluded(constraint, pod.pod, node) ? passes : 1)))
      const counts = (slot: number): boolean => (!labelled || labelled(slot)) && (!column || column.statuses[slot] === passes)
      return { constraint, matchesItself, counter: new DomainCounter(columns, topology, sources, topology.isPerNode, counts) }
    }
    const hardParts = hard.map((rule) => part(rule, isLabelled(hard), false))
    const softParts = soft.map((rule) => part(rule, needsAllLabels ? isLabelled(soft) : undefined, true))
    const shared = [...hardParts, ...softParts.filter(({ constraint }) => constraint.topologyKey !== hostnameLabel)]
    return new SpreadRule({
      name: this.name, weight, hard: hardParts, soft: softParts, needsAllLabels,
      isCurrent: () => {
        for (const refresh of refreshes) refresh()
        return matchers.every(({ isForgotten }) => !isForgotten) && shared.every(({ counter: { isPerNode, topology } }) => !isPerNode || topology.isPerNode)
      },
    })
  }

  /** Marks in `into` (with 1) the slots of nodes that have a label for each rule. */
  #labelled(rules: readonly Rule[], into: Int32Array): void {
    const { used, alive } = this.#index.columns
    for (let slot = 0; slot < used; slot++) into[slot] = alive[slot]!
    for (const { constraint } of rules) {
      const { domains } = this.#index.columns.topology(constraint.topologyKey)
      for (let slot = 0; slot < used; slot++) if (domains[slot] === noDomain) into[slot] = 0
    }
  }

  filter(verdicts: Int32Array, orders: Uint8Array, order: number): void {
    const pod = this.#pod
    if (!pod) return
    const { columns } = this.#index
    const { used } = columns
    const { hard } = this.#current
    const labelled = this.#scratch.ints(0, used, 0)
    this.#labelled(hard, labelled)
    for (const rule of hard) {
      const { constraint } = rule
      const topology = columns.topology(constraint.topologyKey)
      const { domains } = topology
      const inclusion = this.#inclusion(constraint, pod)
      const counts = this.#scratch.ints(1, topology.size, -1)
      for (let slot = 0; slot < used; slot++) if (labelled[slot] === 1 && (!inclusion || inclusion[slot] === passes)) counts[domains[slot]!] = 0
      this.#addCounts(this.#countsOf(rule, pod), labelled, inclusion, topology, counts)
      let known = 0
      let least = Infinity
      for (let domain = 0; domain < topology.size; domain++) {
        const count = counts[domain]!
        if (count < 0) continue
        known++
        if (count < least) least = count
      }
      if (known < constraint.minDomains) least = 0
      const most = constraint.maxSkew + least - (constraint.selector.matches(pod.pod.metadata.labels) ? 1 : 0)
      for (let slot = 0; slot < used; slot++) {
        const domain = domains[slot]!
        // The first rule that rejects a node says why.
        if (orders[slot] === order && verdicts[slot]! > passes) continue
        if (domain === noDomain) reject(verdicts, orders, slot, this.#unlabelled, order)
        else if (Math.max(0, counts[domain]!) > most) reject(verdicts, orders, slot, this.#mismatch, order)
      }
    }
  }

  /** Adds pods to the domains that are known (0 or more), where their node counts. */
  #addCounts(pods: CountVector, labelled: Int32Array, inclusion: Int32Array | undefined, { domains }: TopologyColumn, into: Int32Array): void {
    const { dense } = pods
    if (!dense) {
      pods.forEach((slot, count) => {
        if (labelled[slot] !== 1 || (inclusion && inclusion[slot] !== passes)) return
        const domain = domains[slot]!
        if (domain !== noDomain && into[domain]! >= 0) into[domain] = into[domain]! + count
      })
      return
    }
    const end = Math.min(dense.length, this.#index.columns.used)
    for (let slot = 0; slot < end; slot++) {
      const count = dense[slot]!
      if (count === 0 || labelled[slot] !== 1 || (inclusion && inclusion[slot] !== passes)) continue
      const domain = domains[slot]!
      if (domain !== noDomain && into[domain]! >= 0) into[domain] = into[domain]! + count
    }
  }

  /** Computes the normalized scores of `count` slots. */
  score(slots: Int32Array, count: number, into: Float64Array): boolean {
    const pod = this.#pod
    const { soft } = this.#current
    if (!pod || soft.length === 0) return false
    const { columns } = this.#index
    const { used } = columns
    const counted = this.#scratch.ints(0, used, 0)
    if (this.#form.needsAllLabels(pod)) this.#labelled(soft, counted)
    else for (let slot = 0; slot < used; slot++) counted[slot] = columns.alive[slot]!
    let valid = 0
    for (let i = 0; i < count; i++) {
      const isCounted = counted[slots[i]!] === 1
      if (isCounted) valid++
      into[i] = isCounted ? 0 : Number.NaN
    }
    for (const rule of soft) this.#addScores(rule, pod, slots, count, counted, valid, into)
    let min = Infinity
    let max = -Infinity
    for (let i = 0; i < count; i++) {
      // Nodes without the labels have NaN: they get nothing, and do not count for the bounds.
      const score = into[i] = Math.round(into[i]!)
      if (score < min) min = score
      if (score > max) max = score
    }
    for (let i = 0; i < count; i++) {
      const score = into[i]!
      if (Number.isNaN(score)) into[i] = 0
      else into[i] = max === 0 ? maxNodeScore : Math.trunc((maxNodeScore * (max + min - score)) / max)
    }
    return true
  }

  #addScores(rule: Rule, pod: PodInfo, slots: Int32Array, count: number, counted: Int32Array, valid: number, into: Float64Array): void {
    const { constraint } = rule
    const topology = this.#index.columns.topology(constraint.topologyKey)
    const { domains } = topology
    const pods = this.#countsOf(rule, pod)
    const base = constraint.maxSkew - 1
    if (constraint.topologyKey === hostnameLabel) {
      const weight = Math.log(valid + 2)
      const { dense } = pods
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!
        if (domains[slot]! !== noDomain) into[i] = into[i]! + ((dense ? dense[slot] ?? 0 : pods.get(slot)) * weight + base)
      }
      return
    }
    // Domains without a feasible node do not matter.
    const counts = this.#scratch.ints(1, topology.size, -1)
    let known = 0
    // To upstream, having no label is one more value of it.
    let without = 0
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!
      const domain = domains[slot]!
      if (counted[slot] !== 1) continue
      if (domain === noDomain) without = 1
      else if (counts[domain]! < 0) {
        counts[domain] = 0
        known++
      }
    }
    const weight = Math.log(known + without + 2)
    this.#addCounts(pods, counted, this.#inclusion(constraint, pod), topology, counts)
    for (let i = 0; i < count; i++) {
      const domain = domains[slots[i]!]!
      if (domain !== noDomain) into[i] = into[i]! + (Math.max(0, counts[domain]!) * weight + base)
    }
  }
}
