import { bestKept, type NodeScore } from '../cycle/decision.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { ClusterIndex } from './cluster-index.ts'
import type { Cycle } from './cycle.ts'
import type { FilterStep, Pipeline, ScoreStep } from './pipeline.ts'
import type { PodAffinity } from './pod-affinity.ts'
import type { Signature } from './signature.ts'
import { passes } from './statuses.ts'
import type { TopologySpread } from './topology-spread.ts'

/** What the plugins that are not in columns have to say of a pod. */
export interface Demand {
  readonly spread: TopologySpread | undefined
  readonly affinity: PodAffinity | undefined
  readonly directFilters: readonly FilterStep[]
  readonly directScores: readonly ScoreStep[]
  /** The only nodes that are left, and the number of the verdict on all others. */
  readonly allowed: ReadonlySet<string> | undefined
  readonly notChosen: number
}

/**
 * One pass over all nodes: a signature's verdicts and sums, and on top of them what depends on whole domains or is asked
 * directly. The arrays are kept from pod to pod.
 */
export class Sweep {
  readonly #index: ClusterIndex
  readonly #pipeline: Pipeline
  #verdicts = new Int32Array(0)
  #orders = new Uint8Array(0)
  #slots = new Int32Array(0)
  #totals = new Float64Array(0)
  #scores = new Float64Array(0)
  #count = 0
  /** What every feasible node gets beside its total. */
  #forAll = 0
  /** What each plugin gave to the `i`th feasible node. */
  #given: { name: string; at(i: number): number }[] = []

  constructor(index: ClusterIndex, pipeline: Pipeline) {
    this.#index = index
    this.#pipeline = pipeline
  }

  /** The verdicts by slot, after `filter`. */
  verdicts(signature: Signature, cycle: Cycle, demand: Demand): Int32Array {
    const { spread, affinity, allowed, directFilters } = demand
    if (!spread?.filters && !affinity?.filters && !allowed && directFilters.length === 0) return signature.verdicts
    const { columns } = this.#index
    const { used, infos } = columns
    if (this.#verdicts.length < columns.capacity) {
      this.#verdicts = new Int32Array(columns.capacity)
      this.#orders = new Uint8Array(columns.capacity)
    }
    const verdicts = this.#verdicts
    const orders = this.#orders
    verdicts.set(signature.verdicts.subarray(0, used))
    orders.set(signature.orders.subarray(0, used))
    if (spread?.filters && this.#pipeline.spread?.filter) spread.filter(verdicts, orders, this.#pipeline.spread.filter.order)
    if (affinity?.filters && this.#pipeline.affinity?.filter) affinity.filter(verdicts, orders, this.#pipeline.affinity.filter.order)
    for (const { plugin, order } of directFilters) {
      for (let slot = 0; slot < used; slot++) {
        const node = infos[slot]
        if (!node || (verdicts[slot] !== passes && orders[slot]! < order) || (allowed && !allowed.has(node.name))) continue
        const verdict = cycle.verdict(plugin, node)
        if (verdict === passes) continue
        verdicts[slot] = verdict
        orders[slot] = order
      }
    }
    for (const name of cycle.cache.nominatedNodes()) {
      const slot = columns.slotOf(name)
      const node = slot === undefined ? undefined : infos[slot]
      if (slot === undefined || !node || !cycle.isReserved(name)) continue
      const status = cycle.filters.run(node)
      verdicts[slot] = cycle.statuses.idOf(status, status?.plugin ?? '')
    }
    if (allowed) for (let slot = 0; slot < used; slot++) if (infos[slot] && !allowed.has(infos[slot]!.name)) verdicts[slot] = demand.notChosen
    return verdicts
  }

  /** Takes the feasible nodes from the verdicts; gives how many there are. */
  collect(verdicts: Int32Array): number {
    const { used, capacity } = this.#index.columns
    if (this.#slots.length < capacity) {
      this.#slots = new Int32Array(capacity)
      this.#totals = new Float64Array(capacity)
      this.#scores = new Float64Array(capacity)
    }
    const slots = this.#slots
    let count = 0
    for (let slot = 0; slot < used; slot++) if (verdicts[slot] === passes) slots[count++] = slot
    return this.#count = count
  }

  /** Leaves `wanted` of the feasible nodes: the first ones from slot `start` on, going around. Gives the slot after the last one. */
  sample(wanted: number, start: number): number {
    const slots = this.#slots
    let first = 0
    while (first < this.#count && slots[first]! < start) first++
    const kept: number[] = []
    for (let i = 0; i < wanted; i++) kept.push(slots[(first + i) % this.#count]!)
    this.#count = wanted
    slots.set(kept)
    return (kept.at(-1) ?? 0) + 1
  }

  /** The only one of the feasible nodes. */
  get first(): NodeInfo | undefined {
    return this.#index.columns.infos[this.#slots[0] ?? -1]
  }

  /** Scores the feasible nodes and takes one of the best. */
  choose(signature: Signature, cycle: Cycle, demand: Demand, random: () => number): { slot: number; best: NodeScore[] } {
    const count = this.#count
    const slots = this.#slots
    const totals = this.#totals
    const { sums, parts } = signature
    this.#given = []
    this.#forAll = 0
    for (let i = 0; i < count; i++) totals[i] = sums[slots[i]!]!
    for (const { plugin, weight, column } of parts.scores) this.#given.push({ name: plugin.name, at: (i) => weight * column.at(slots[i]!) })
    if (parts.fitScore) {
      const { plugin, weight } = parts.fitScore
      this.#given.push({ name: plugin.name, at: (i) => weight * parts.resources.fitScore(slots[i]!) })
    }
    if (parts.balanced) {
      const { plugin, weight } = parts.balanced
      this.#given.push({ name: plugin.name, at: (i) => weight * parts.resources.balancedScore(slots[i]!) })
    }
    for (const part of parts.normalized) this.#addNormalized(part.plugin, part.weight, part.column, cycle)
    const { spread, affinity } = this.#pipeline
    if (spread?.score && demand.spread?.scores && demand.spread.score(slots, count, this.#scores)) this.#addScores(spread.score)
    if (affinity?.score && demand.affinity?.scores && demand.affinity.score(slots, count, this.#scores)) this.#addScores(affinity.score)
    if (demand.directScores.length > 0) this.#addDirect(demand.directScores, cycle)
    return this.#best(random)
  }

  /** Which normalized score a node has depends on its own score alone, and on which scores there are. */
  #addNormalized(plugin: Plugin, weight: number, column: Signature['parts']['normalized'][number]['column'], cycle: Cycle): void {
    const count = this.#count
    const slots = this.#slots
    const { codes, values } = column
    const seen: number[] = []
    const present: boolean[] = []
    if (column.distinct === 1) seen.push(codes[slots[0]!]!)
    else {
      for (let i = 0; i < count; i++) {
        const code = codes[slots[i]!]!
        if (present[code]) continue
        present[code] = true
        seen.push(code)
      }
    }
    const scores = seen.map((code) => values[code] ?? 0)
    cycle.scores(plugin)
    plugin.normalize?.(cycle.state, cycle.pod, scores)
    const worth: number[] = []
    for (const [i, code] of seen.entries()) worth[code] = weight * (scores[i] ?? 0)
    const totals = this.#totals
    const [only] = seen
    if (seen.length === 1 && only !== undefined) {
      // The same for all: it changes nothing between them.
      this.#forAll += worth[only] ?? 0
    } else for (let i = 0; i < count; i++) totals[i] = totals[i]! + worth[codes[slots[i]!]!]!
    this.#given.push({ name: plugin.name, at: (i) => worth[codes[slots[i]!]!] ?? 0 })
  }

  /** Adds what a form has computed; of the best few it is computed back from the totals' difference, so it is kept apart. */
  #addScores({ plugin, weight }: ScoreStep): void {
    const scores = this.#scores.slice(0, this.#count)
    const totals = this.#totals
    for (let i = 0; i < this.#count; i++) totals[i] = totals[i]! + weight * scores[i]!
    this.#given.push({ name: plugin.name, at: (i) => weight * scores[i]! })
  }

  #addDirect(steps: readonly ScoreStep[], cycle: Cycle): void {
    const { state, pod, cache } = cycle
    const { infos } = this.#index.columns
    const nodes: NodeInfo[] = []
    for (let i = 0; i < this.#count; i++) nodes.push(infos[this.#slots[i]!]!)
    for (const { plugin, weight } of steps) {
      if (plugin.preScore?.(state, pod, nodes, cache)?.code === 'Skip') continue
      const scores = nodes.map((node) => plugin.score?.(state, pod, node) ?? 0)
      plugin.normalize?.(state, pod, scores)
      for (const [i, score] of scores.entries()) this.#totals[i] = (this.#totals[i] ?? 0) + score * weight
      this.#given.push({ name: plugin.name, at: (i) => (scores[i] ?? 0) * weight })
    }
  }

  /** One of the best, chance deciding among equals, and the best few. */
  #best(random: () => number): { slot: number; best: NodeScore[] } {
    const totals = this.#totals
    const count = this.#count
    const top: number[] = []
    let max = -Infinity
    let least = -Infinity
    let equals = 0
    for (let i = 0; i < count; i++) {
      const total = totals[i]!
      if (total === max) equals++
      if (total <= least) continue
      if (total > max) {
        max = total
        equals = 1
      }
      let at = top.length
      while (at > 0 && totals[top[at - 1]!]! < total) at--
      top.splice(at, 0, i)
      if (top.length > bestKept) top.pop()
      if (top.length === bestKept) least = totals[top[bestKept - 1]!]!
    }
    let nth = Math.min(Math.floor(random() * equals), equals - 1)
    let chosen = 0
    for (let i = 0; i < count; i++) {
      if (totals[i] !== max || nth-- !== 0) continue
      chosen = i
      break
    }
    const best = [chosen, ...top.filter((i) => i !== chosen).slice(0, bestKept - 1)]
    return { slot: this.#slots[chosen]!, best: best.map((i) => this.#scoreOf(i)) }
  }

  #scoreOf(i: number): NodeScore {
    const byPlugin: Record<string, number> = {}
    for (const { name, at } of this.#given) byPlugin[name] = at(i)
    return { node: this.#index.columns.infos[this.#slots[i]!]?.name ?? '', total: this.#totals[i]! + this.#forAll, byPlugin }
  }
}
