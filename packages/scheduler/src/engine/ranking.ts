import type { Cycle } from './cycle.ts'
import { ScoreTree } from './score-tree.ts'
import type { ScorePart, Signature, Update } from './signature.ts'
import { absent, passes } from './statuses.ts'

/** The feasible nodes' scores of one plugin: which there are, and what each is worth when normalized and weighted. */
class NormalizedPart {
  readonly part: ScorePart
  /** The score's code by slot, as it was counted; absent for nodes that are not feasible. */
  readonly #counted: Int32Array
  readonly #counts: number[] = []
  worth: number[] = []
  #stale = true

  constructor(part: ScorePart, slots: number) {
    this.part = part
    this.#counted = new Int32Array(slots).fill(absent)
  }

  count(slot: number, feasible: boolean): void {
    const now = feasible ? this.part.column.codes[slot]! : absent
    const before = this.#counted[slot]!
    if (now === before) return
    this.#counted[slot] = now
    if (before !== absent) {
      this.#counts[before] = (this.#counts[before] ?? 0) - 1
      if (this.#counts[before] === 0) this.#stale = true
    }
    if (now !== absent) {
      this.#counts[now] = (this.#counts[now] ?? 0) + 1
      if (this.#counts[now] === 1) this.#stale = true
    }
  }

  /** Normalizes anew where there are other scores than before; says whether one that was there is worth something else. */
  renew(cycle: Cycle): boolean {
    if (!this.#stale) return false
    this.#stale = false
    const { plugin, weight, column } = this.part
    const codes: number[] = []
    for (let code = 0; code < column.values.length; code++) if ((this.#counts[code] ?? 0) > 0) codes.push(code)
    const scores = codes.map((code) => column.values[code] ?? 0)
    cycle.scores(plugin)
    plugin.normalize?.(cycle.state, cycle.pod, scores)
    const worth: number[] = []
    let differs = false
    for (const [i, code] of codes.entries()) {
      worth[code] = weight * (scores[i] ?? 0)
      if (worth[code] !== this.worth[code]) differs = true
    }
    this.worth = worth
    return differs
  }

  at(slot: number): number {
    return this.worth[this.#counted[slot] ?? absent] ?? 0
  }
}

/** The total scores of a signature's feasible nodes, in a tree that knows the best. */
export class Ranking {
  readonly #signature: Signature
  readonly #tree: ScoreTree
  readonly #parts: readonly NormalizedPart[]

  /** For a signature that is up to date; `slots` is the columns' capacity. */
  constructor(signature: Signature, slots: number) {
    this.#signature = signature
    this.#tree = new ScoreTree(slots)
    this.#parts = signature.parts.normalized.map((part) => new NormalizedPart(part, slots))
  }

  /** Catches up with the signature. */
  update(update: Update, used: number, cycle: Cycle): void {
    const { verdicts } = this.#signature
    for (const part of this.#parts) {
      if (update === 'all') for (let slot = 0; slot < used; slot++) part.count(slot, verdicts[slot] === passes)
      else for (const slot of update) part.count(slot, verdicts[slot] === passes)
    }
    let all = update === 'all'
    for (const part of this.#parts) if (part.renew(cycle)) all = true
    if (all) this.#tree.fill((slot) => this.#total(slot), used)
    else if (update !== 'all') for (let i = 0; i < update.length; i++) this.#tree.set(update[i]!, this.#total(update[i]!))
  }

  #total(slot: number): number {
    if (this.#signature.verdicts[slot] !== passes) return -Infinity
    let total = this.#signature.sums[slot]!
    for (let i = 0; i < this.#parts.length; i++) total += this.#parts[i]!.at(slot)
    return total
  }

  /** One of the best nodes' slots. There must be a feasible node. */
  pick(random: () => number): number {
    return this.#tree.pick(random)
  }

  /** The slots of the best few, the chosen one first. */
  best(chosen: number, wanted: number): number[] {
    const top = this.#tree.top(wanted).filter((slot) => slot !== chosen)
    return [chosen, ...top.slice(0, wanted - 1)]
  }

  total(slot: number): number {
    return this.#tree.get(slot)
  }

  /** What a slot's normalized scores are, by plugin. */
  addNormalized(slot: number, into: Record<string, number>): void {
    for (const part of this.#parts) into[part.part.plugin.name] = part.at(slot)
  }
}
