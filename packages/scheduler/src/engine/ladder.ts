import { bestKept, type NodeScore } from '../cycle/decision.ts'
import type { ClusterIndex } from './cluster-index.ts'
import type { Cycle } from './cycle.ts'
import type { DomainCounter } from './domain-counter.ts'
import type { ScorePart, Signature, Update } from './signature.ts'
import { passes } from './statuses.ts'

/** Feasible nodes (by their own account) that no normalized score and no domain tells apart: among them the sum of scores decides. */
export class Rung {
  /** What they have in common: a number for each normalized score, then for each counter. */
  readonly parts: readonly number[]
  readonly slots = new Map<number, number[]>()
  size = 0
  /** The highest sum of any of them. */
  top = -Infinity
  /** For use within one decision. */
  total = 0
  spread = 0
  affinity = 0
  extra = 0

  constructor(parts: readonly number[]) {
    this.parts = parts
  }
}

/** A plugin whose verdicts and scores depend on domains, for all nodes of a rung at once. */
export interface DomainRule {
  readonly name: string
  readonly weight: number
  readonly counters: readonly DomainCounter[]
  /** Whether what it was made of is still what counts. */
  isCurrent(): boolean
  /** Once a decision, before the others. `at`: where its counters' parts begin. */
  begin(at: number): void
  allows(rung: Rung): boolean
  /** Puts each rung's normalized score into `field`; false where it has nothing to say. */
  score(rungs: readonly Rung[], field: 'spread' | 'affinity'): boolean
}

/** More rungs than this, and a pass over all nodes is as good. */
const maxRungs = 512

/** A signature's feasible nodes, on rungs, so that a decision looks at rungs instead of nodes. */
export class Ladder {
  readonly #index: ClusterIndex
  readonly #signature: Signature
  readonly #normalized: readonly ScorePart[]
  readonly #spread: DomainRule | undefined
  readonly #affinity: DomainRule | undefined
  readonly #counters: readonly DomainCounter[]
  readonly #rungs: Rung[] = []
  readonly #byParts = new Map<number, number>()
  #prefixes = 0
  /** By slot: its rung's number and -1 for none, its sum, and its place among those of that sum. */
  readonly #rungOf: Int32Array
  readonly #sumOf: Float64Array
  readonly #placeOf: Int32Array
  /** What the normalized scores were worth when they were last computed, and for which. */
  readonly #worth: { codes: number[]; worth: number[] }[]
  /** There are too many rungs to be of use. */
  isTooFine = false
  /** How far it has read the log of changed nodes. */
  #cursor = -1

  constructor(index: ClusterIndex, signature: Signature, spread: DomainRule | undefined, affinity: DomainRule | undefined) {
    const { capacity } = index.columns
    this.#index = index
    this.#signature = signature
    this.#normalized = signature.parts.normalized
    this.#spread = spread
    this.#affinity = affinity
    this.#counters = [...spread?.counters ?? [], ...affinity?.counters ?? []]
    this.#worth = this.#normalized.map(() => ({ codes: [], worth: [] }))
    this.#rungOf = new Int32Array(capacity).fill(-1)
    this.#sumOf = new Float64Array(capacity)
    this.#placeOf = new Int32Array(capacity)
  }

  /** Whether its rules are what they were made of. */
  isCurrent(): boolean {
    return (this.#spread?.isCurrent() ?? true) && (this.#affinity?.isCurrent() ?? true)
  }

  isOf(signature: Signature): boolean {
    return this.#signature === signature
  }

  /** Most of its rungs are empty by now: a new one is better. */
  get isWornOut(): boolean {
    let taken = 0
    for (const { size } of this.#rungs) if (size > 0) taken++
    return taken < maxRungs >> 2
  }

  /** Catches up with the signature, which is up to date: `update` is what that has just found changed since `before`. */
  update(update: Update, before: number): void {
    const { used, podLog } = this.#index.columns
    if (update === 'all' || this.#cursor !== before) {
      const changed: number[] = []
      if (this.#cursor >= 0 && update !== 'all' && podLog.since(this.#cursor, used >> 3, changed)) this.#takeAll(changed)
      else {
        for (let slot = 0; slot < used; slot++) for (let i = 0; i < this.#counters.length; i++) this.#counters[i]!.take(slot)
        for (let slot = 0; slot < used; slot++) this.#place(slot)
      }
    } else this.#takeAll(update)
    this.#cursor = podLog.head
  }

  #takeAll(slots: readonly number[]): void {
    for (let n = 0; n < slots.length; n++) {
      for (let i = 0; i < this.#counters.length; i++) this.#counters[i]!.take(slots[n]!)
      this.#place(slots[n]!)
    }
  }

  /** Puts a slot on the rung where it belongs now. */
  #place(slot: number): void {
    const { verdicts, sums } = this.#signature
    const rung = verdicts[slot] === passes && slot < this.#index.columns.used ? this.#rungFor(slot) : -1
    const sum = rung < 0 ? 0 : sums[slot]!
    const before = this.#rungOf[slot]!
    if (before === rung && (rung < 0 || this.#sumOf[slot] === sum)) return
    if (before >= 0) this.#leave(slot, this.#rungs[before]!)
    this.#rungOf[slot] = rung
    if (rung < 0) return
    this.#sumOf[slot] = sum
    const { slots } = this.#rungs[rung]!
    let same = slots.get(sum)
    if (!same) slots.set(sum, same = [])
    this.#placeOf[slot] = same.length
    same.push(slot)
    this.#rungs[rung]!.size++
    if (sum > this.#rungs[rung]!.top) this.#rungs[rung]!.top = sum
  }

  #leave(slot: number, rung: Rung): void {
    const sum = this.#sumOf[slot]!
    const same = rung.slots.get(sum)
    const last = same?.pop()
    rung.size--
    if (!same || last === undefined) return
    if (last !== slot) {
      const place = this.#placeOf[slot]!
      same[place] = last
      this.#placeOf[last] = place
    }
    if (same.length > 0) return
    rung.slots.delete(sum)
    if (sum !== rung.top) return
    let top = -Infinity
    for (const each of rung.slots.keys()) if (each > top) top = each
    rung.top = top
  }

  #rungFor(slot: number): number {
    // Parts are joined one by one: a prefix and the next part make a longer prefix, numbered.
    let prefix = 0
    const normalized = this.#normalized
    const counters = this.#counters
    for (let i = 0; i < normalized.length; i++) prefix = this.#join(prefix, normalized[i]!.column.codes[slot]!)
    for (let i = 0; i < counters.length; i++) prefix = this.#join(prefix, counters[i]!.part(slot))
    let rung = this.#byParts.get(-1 - prefix)
    if (rung === undefined) {
      rung = this.#rungs.length
      this.#byParts.set(-1 - prefix, rung)
      this.#rungs.push(new Rung([...normalized.map(({ column }) => column.codes[slot]!), ...counters.map((counter) => counter.part(slot))]))
      if (rung >= maxRungs) this.isTooFine = true
    }
    return rung
  }

  #join(prefix: number, part: number): number {
    const key = prefix * 2 ** 22 + part
    let joined = this.#byParts.get(key)
    if (joined === undefined) this.#byParts.set(key, joined = ++this.#prefixes)
    return joined
  }

  /** Takes one of the best nodes; undefined where none is feasible. */
  choose(cycle: Cycle, random: () => number): { slot: number; feasible: number; best: NodeScore[] } | undefined {
    const spread = this.#spread
    const affinity = this.#affinity
    spread?.begin(this.#normalized.length)
    affinity?.begin(this.#normalized.length + (spread?.counters.length ?? 0))
    const open: Rung[] = []
    let feasible = 0
    for (const rung of this.#rungs) {
      if (rung.size === 0 || (spread && !spread.allows(rung)) || (affinity && !affinity.allows(rung))) continue
      open.push(rung)
      feasible += rung.size
      rung.extra = 0
    }
    if (feasible === 0) return undefined
    if (feasible === 1) return { slot: open[0]!.slots.get(open[0]!.top)![0]!, feasible, best: [] }
    for (let i = 0; i < this.#normalized.length; i++) this.#normalize(i, open, cycle)
    const spreadSays = spread !== undefined && spread.weight !== 0 && spread.score(open, 'spread')
    const affinitySays = affinity !== undefined && affinity.weight !== 0 && affinity.score(open, 'affinity')
    let max = -Infinity
    for (const rung of open) {
      if (spreadSays) rung.extra += spread.weight * rung.spread
      if (affinitySays) rung.extra += affinity.weight * rung.affinity
      rung.total = rung.top + rung.extra
      if (rung.total > max) max = rung.total
    }
    let equals = 0
    for (const rung of open) if (rung.total === max) equals += rung.slots.get(rung.top)!.length
    let nth = Math.min(Math.floor(random() * equals), equals - 1)
    let slot = -1
    for (const rung of open) {
      if (rung.total !== max) continue
      const same = rung.slots.get(rung.top)!
      if (nth < same.length) {
        slot = same[nth]!
        break
      }
      nth -= same.length
    }
    const names = { spread: spreadSays ? spread : undefined, affinity: affinitySays ? affinity : undefined }
    return { slot, feasible, best: this.#best(slot, open).map(([each, rung]) => this.#scoreOf(each, rung, names)) }
  }

  /** Normalizes the scores of one plugin over the rungs: they are the same as last time, most of the time. */
  #normalize(i: number, open: readonly Rung[], cycle: Cycle): void {
    const { plugin, weight, column } = this.#normalized[i]!
    const last = this.#worth[i]!
    const codes: number[] = []
    for (const { parts } of open) if (!codes.includes(parts[i]!)) codes.push(parts[i]!)
    codes.sort((a, b) => a - b)
    if (codes.length !== last.codes.length || codes.some((code, at) => code !== last.codes[at])) {
      const scores = codes.map((code) => column.values[code] ?? 0)
      cycle.scores(plugin)
      plugin.normalize?.(cycle.state, cycle.pod, scores)
      last.codes = codes
      last.worth = []
      for (const [at, code] of codes.entries()) last.worth[code] = weight * (scores[at] ?? 0)
    }
    for (const rung of open) rung.extra += last.worth[rung.parts[i]!] ?? 0
  }

  /** The best few slots with their rungs, the chosen one first. */
  #best(chosen: number, open: Rung[]): [number, Rung][] {
    open.sort((a, b) => b.total - a.total)
    const found: { slot: number; rung: Rung; total: number }[] = []
    const wanted = bestKept
    for (const rung of open) {
      if (found.length >= wanted && rung.total <= found[wanted - 1]!.total) break
      const sums = rung.slots.size === 1 || rung.slots.get(rung.top)!.length >= wanted ? [rung.top] : [...rung.slots.keys()].sort((a, b) => b - a)
      let taken = 0
      for (const sum of sums) {
        for (const slot of rung.slots.get(sum)!) {
          if (taken === wanted) break
          taken++
          const total = sum + rung.extra
          let at = found.length
          while (at > 0 && found[at - 1]!.total < total) at--
          if (at < wanted) found.splice(at, 0, { slot, rung, total })
        }
        if (taken === wanted) break
      }
    }
    const best: [number, Rung][] = [[chosen, this.#rungs[this.#rungOf[chosen]!]!]]
    for (const { slot, rung } of found) if (slot !== chosen && best.length < wanted) best.push([slot, rung])
    return best
  }

  #scoreOf(slot: number, rung: Rung, { spread, affinity }: { spread: DomainRule | undefined; affinity: DomainRule | undefined }): NodeScore {
    const { parts } = this.#signature
    const byPlugin: Record<string, number> = {}
    for (const { plugin, weight, column } of parts.scores) byPlugin[plugin.name] = weight * column.at(slot)
    if (parts.fitScore) byPlugin[parts.fitScore.plugin.name] = parts.fitScore.weight * parts.resources.fitScore(slot)
    if (parts.balanced) byPlugin[parts.balanced.plugin.name] = parts.balanced.weight * parts.resources.balancedScore(slot)
    for (let i = 0; i < this.#normalized.length; i++) byPlugin[this.#normalized[i]!.plugin.name] = this.#worth[i]!.worth[rung.parts[i]!] ?? 0
    if (spread) byPlugin[spread.name] = spread.weight * rung.spread
    if (affinity) byPlugin[affinity.name] = affinity.weight * rung.affinity
    return { node: this.#index.columns.infos[slot]?.name ?? '', total: this.#sumOf[slot]! + rung.extra, byPlugin }
  }
}
