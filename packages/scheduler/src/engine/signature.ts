import { Filters } from '../cycle/filters.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { NodeColumns } from './columns.ts'
import type { Cycle } from './cycle.ts'
import type { FilterColumn, ScoreColumn } from './plugin-columns.ts'
import type { ResourceAsk } from './resource-ask.ts'
import { absent, passes } from './statuses.ts'

export interface FilterPart { readonly order: number; readonly plugin: Plugin; readonly column: FilterColumn }
export interface ScorePart { readonly plugin: Plugin; readonly weight: number; readonly column: ScoreColumn }

/** What a signature is made of: the columns of the plugins that sign, and the resources asked for. */
export interface SignatureParts {
  readonly filters: readonly FilterPart[]
  /** Scores that are as they are. */
  readonly scores: readonly ScorePart[]
  /** Scores that depend on which scores the feasible nodes have. */
  readonly normalized: readonly ScorePart[]
  readonly resources: ResourceAsk
  readonly fit: { readonly order: number; readonly plugin: Plugin } | undefined
  readonly fitScore: { readonly plugin: Plugin; readonly weight: number } | undefined
  readonly balanced: { readonly plugin: Plugin; readonly weight: number } | undefined
}

/** What became of a signature since it was last used. */
export type Update = 'all' | readonly number[]

const changed: number[] = []
/** Nothing has changed. */
export const unchanged: readonly number[] = []

/**
 * Pods of which the plugins in columns read the same: their verdict and the sum of their scores on every node, brought up
 * to date from the log of changed nodes when the signature is used.
 */
export class Signature {
  readonly #columns: NodeColumns
  parts: SignatureParts
  verdicts = new Int32Array(0)
  /** Which filter rejected a node; nothing where none did. */
  orders = new Uint8Array(0)
  /** Of nodes that pass. */
  sums = new Float64Array(0)
  feasible = 0
  #cursor = -1

  constructor(columns: NodeColumns, parts: SignatureParts) {
    this.#columns = columns
    this.parts = parts
  }

  /** Becomes another signature; the arrays stay. */
  reset(parts: SignatureParts): void {
    this.parts = parts
    this.#cursor = -1
  }

  /** How far it has read the log of changed nodes. */
  get cursor(): number {
    return this.#cursor
  }

  /** Catches up with the nodes; says which slots may have changed. */
  sync(cycle: Cycle): Update {
    const { podLog, used, capacity } = this.#columns
    const { parts } = this
    for (const { plugin, column } of parts.filters) if (!column.isCurrent) column.sync((node) => cycle.verdict(plugin, node))
    for (const { plugin, column } of parts.scores) if (!column.isCurrent) column.sync((node) => cycle.score(plugin, node))
    for (const { plugin, column } of parts.normalized) if (!column.isCurrent) column.sync((node) => cycle.score(plugin, node))
    if (this.#cursor === podLog.head) return unchanged
    const few = this.#cursor >= 0 && this.verdicts.length >= used && podLog.since(this.#cursor, used >> 3, changed)
    // Should a plugin throw, all is evaluated anew the next time.
    this.#cursor = -1
    if (few) {
      for (let i = 0; i < changed.length; i++) this.#evaluate(changed[i]!, cycle)
      this.#cursor = podLog.head
      return changed
    }
    if (this.verdicts.length < capacity) {
      this.verdicts = new Int32Array(capacity)
      this.orders = new Uint8Array(capacity)
      this.sums = new Float64Array(capacity)
    }
    this.#evaluateAll(cycle)
    this.#cursor = podLog.head
    return 'all'
  }

  #evaluate(slot: number, cycle: Cycle): void {
    const { parts, verdicts } = this
    if (verdicts[slot] === passes) this.feasible--
    const node = this.#columns.infos[slot]
    if (!node) {
      verdicts[slot] = absent
      return
    }
    const verdict = cycle.isReserved(node.name) ? this.#reserved(slot, cycle) : this.#verdict(slot)
    verdicts[slot] = verdict
    if (verdict !== passes) return
    this.feasible++
    let sum = 0
    for (let i = 0; i < parts.scores.length; i++) sum += parts.scores[i]!.weight * parts.scores[i]!.column.at(slot)
    if (parts.fitScore) sum += parts.fitScore.weight * parts.resources.fitScore(slot)
    if (parts.balanced) sum += parts.balanced.weight * parts.resources.balancedScore(slot)
    this.sums[slot] = sum
  }

  /** The verdict of the first filter that rejects the node. */
  #verdict(slot: number): number {
    const { filters, fit, resources } = this.parts
    let verdict = passes
    let order = Infinity
    if (fit) {
      verdict = resources.verdict(slot)
      if (verdict !== passes) order = fit.order
    }
    for (let i = 0; i < filters.length; i++) {
      const part = filters[i]!
      if (part.order > order) break
      const own = part.column.statuses[slot] ?? passes
      if (own === passes) continue
      verdict = own
      order = part.order
      break
    }
    if (verdict !== passes) this.orders[slot] = order
    return verdict
  }

  /** The verdict on a node at which others have their room, by the filters of this signature alone. */
  #reserved(slot: number, cycle: Cycle): number {
    const { filters, fit } = this.parts
    const node = this.#columns.infos[slot]
    const steps = [...filters, ...(fit ? [fit] : [])].sort((a, b) => a.order - b.order)
    const status = node && new Filters(cycle.state, cycle.pod, { plugins: steps.map(({ plugin }) => plugin) }, cycle.cache).run(node)
    if (!status) return passes
    this.orders[slot] = steps.find(({ plugin }) => plugin.name === status.plugin)?.order ?? 0
    return cycle.statuses.idOf(status, status.plugin ?? '')
  }

  #evaluateAll(cycle: Cycle): void {
    const { verdicts, sums, parts } = this
    const { used, alive } = this.#columns
    for (let slot = 0; slot < used; slot++) verdicts[slot] = alive[slot]! - 1
    sums.fill(0, 0, used)
    const passing = this.#evaluateUsual(cycle)
    this.feasible = passing
    if (passing < 0) this.#evaluateByParts(cycle)
    for (const { weight, column } of parts.scores) {
      if (column.uniform === 0) continue
      const { codes, values } = column
      for (let slot = 0; slot < used; slot++) if (verdicts[slot] === passes) sums[slot] = sums[slot]! + weight * values[codes[slot]!]!
    }
  }

  /** One pass for resources, where they are the last to reject and nobody has a room to himself. */
  #evaluateUsual(cycle: Cycle): number {
    const { filters, fit, fitScore, balanced, resources } = this.parts
    if (!fit || !fitScore || !balanced || cycle.cache.hasNominations) return -1
    for (const { order, column } of filters) if (order > fit.order && column.rejected > 0) return -1
    this.#filterColumns(0, fit.order)
    return resources.evaluateUsual(this.verdicts, this.orders, this.sums, fit.order, fitScore.weight, balanced.weight)
  }

  #filterColumns(from: number, before: number): void {
    const { verdicts, orders } = this
    const { used } = this.#columns
    for (const { order, column } of this.parts.filters) {
      if (column.rejected === 0 || order < from || order >= before) continue
      const { statuses } = column
      for (let slot = 0; slot < used; slot++) {
        if (verdicts[slot] !== passes || statuses[slot] === passes) continue
        verdicts[slot] = statuses[slot]!
        orders[slot] = order
      }
    }
  }

  #evaluateByParts(cycle: Cycle): void {
    const { verdicts, orders, sums, parts } = this
    const { used, infos } = this.#columns
    const fitOrder = parts.fit?.order ?? Infinity
    this.#filterColumns(0, fitOrder)
    if (parts.fit) parts.resources.filterAll(verdicts, orders, parts.fit.order)
    this.#filterColumns(fitOrder, Infinity)
    for (const name of cycle.cache.nominatedNodes()) {
      const slot = this.#columns.slotOf(name)
      if (slot !== undefined && infos[slot] && cycle.isReserved(name)) verdicts[slot] = this.#reserved(slot, cycle)
    }
    if (parts.fitScore) parts.resources.addFitScores(sums, verdicts, parts.fitScore.weight)
    if (parts.balanced) parts.resources.addBalancedScores(sums, verdicts, parts.balanced.weight)
    let feasible = 0
    for (let slot = 0; slot < used; slot++) if (verdicts[slot] === passes) feasible++
    this.feasible = feasible
  }
}
