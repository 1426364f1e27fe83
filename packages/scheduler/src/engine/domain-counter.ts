import type { NodeColumns } from './columns.ts'
import type { CountVector } from './count-vector.ts'
import { noDomain, type TopologyColumn } from './topology.ts'

/** Pods that count, and how much each. */
export interface Source {
  readonly counts: CountVector
  readonly weight: number
}

const isCountedFlag = 1
const isTouchedFlag = 2

/**
 * What sources come to in the domains of one topology key, slot by slot brought up to date. `part` says what of it tells
 * a node from others: the number of its domain, or where every domain is one node, the amount itself. 0: it is in none.
 */
export class DomainCounter {
  readonly topology: TopologyColumn
  readonly sources: readonly Source[]
  /** Domains are nodes: amounts are kept by slot. */
  readonly isPerNode: boolean
  readonly #columns: NodeColumns
  /** Whether a node with the label counts; all do, where absent. */
  readonly #counts: ((slot: number) => boolean) | undefined
  /** As last taken over, by slot. */
  readonly #domains: Int32Array
  readonly #amounts: Float64Array
  readonly #flags: Uint8Array
  /** By domain. */
  #totals = new Float64Array(16)
  #members = new Int32Array(16)
  /** How many domains count, and how many slots have anything that counts. */
  known = 0
  touched = 0
  /** Where domains are nodes: amount → how many count that have it. */
  readonly #spectrum = new Map<number, number>()
  readonly #codes = new Map<number, number>()
  readonly #decoded: { amount: number; isCounted: boolean }[] = [{ amount: 0, isCounted: false }]

  constructor(columns: NodeColumns, topology: TopologyColumn, sources: readonly Source[], isPerNode: boolean, counts?: (slot: number) => boolean) {
    this.#columns = columns
    this.topology = topology
    this.sources = sources
    this.isPerNode = isPerNode
    this.#counts = counts
    this.#domains = new Int32Array(columns.capacity).fill(noDomain)
    this.#amounts = new Float64Array(columns.capacity)
    this.#flags = new Uint8Array(columns.capacity)
  }

  /** Takes over what is at the slot now. */
  take(slot: number): void {
    this.#count(slot, -1)
    const domain = this.#columns.alive[slot] === 1 ? this.topology.domains[slot] ?? noDomain : noDomain
    this.#domains[slot] = domain
    if (domain === noDomain) return
    let amount = 0
    let flags = !this.#counts || this.#counts(slot) ? isCountedFlag : 0
    for (let i = 0; i < this.sources.length; i++) {
      const { counts, weight } = this.sources[i]!
      const count = counts.get(slot)
      if (count === 0) continue
      flags |= isTouchedFlag
      amount += count * weight
    }
    this.#amounts[slot] = amount
    this.#flags[slot] = flags
    this.#count(slot, 1)
  }

  #count(slot: number, sign: 1 | -1): void {
    const domain = this.#domains[slot]!
    if (domain === noDomain) return
    const flags = this.#flags[slot]!
    const amount = this.#amounts[slot]!
    if (flags & isTouchedFlag) this.touched += sign
    if (!(flags & isCountedFlag)) return
    if (this.isPerNode) {
      const now = (this.#spectrum.get(amount) ?? 0) + sign
      if (now === 0) this.#spectrum.delete(amount)
      else this.#spectrum.set(amount, now)
      this.known += sign
      return
    }
    if (domain >= this.#totals.length) this.#grow(domain)
    this.#totals[domain] = this.#totals[domain]! + sign * amount
    const members = this.#members[domain]! + sign
    this.#members[domain] = members
    if (members === 0) this.known--
    else if (sign === 1 && members === 1) this.known++
  }

  #grow(domain: number): void {
    const totals = new Float64Array(domain * 2)
    totals.set(this.#totals)
    this.#totals = totals
    const members = new Int32Array(domain * 2)
    members.set(this.#members)
    this.#members = members
  }

  part(slot: number): number {
    const domain = this.#domains[slot]!
    if (domain === noDomain) return 0
    if (!this.isPerNode) return domain + 1
    const isCounted = (this.#flags[slot]! & isCountedFlag) !== 0
    const amount = this.#amounts[slot]!
    const key = amount * 2 + (isCounted ? 1 : 0)
    let code = this.#codes.get(key)
    if (code === undefined) {
      code = this.#decoded.length
      this.#codes.set(key, code)
      this.#decoded.push({ amount, isCounted })
    }
    return code
  }

  /** The amount in the domain of nodes with this part; 0 where the domain does not count. */
  amount(part: number): number {
    if (part === 0) return 0
    if (!this.isPerNode) return this.#totals[part - 1] ?? 0
    const { amount, isCounted } = this.#decoded[part]!
    return isCounted ? amount : 0
  }

  /** The smallest amount of any domain that counts; Infinity where none does. */
  get least(): number {
    let least = Infinity
    if (this.isPerNode) {
      for (const amount of this.#spectrum.keys()) if (amount < least) least = amount
      return least
    }
    for (let domain = 0; domain < this.#members.length; domain++) if (this.#members[domain]! > 0 && this.#totals[domain]! < least) least = this.#totals[domain]!
    return least
  }
}
