import type { NodeInfo } from '../framework/node-info.ts'
import type { Dependence } from '../framework/plugin.ts'
import type { ChangeLog } from './change-log.ts'
import type { NodeColumns } from './columns.ts'
import { absent, passes } from './statuses.ts'

const changed: number[] = []

/** Where a column has read its log up to; it asks about every node the first time. */
abstract class SyncedColumn {
  readonly #columns: NodeColumns
  readonly #log: ChangeLog
  #cursor = -1
  #capacity = 0

  constructor(columns: NodeColumns, dependsOn: Dependence) {
    this.#columns = columns
    this.#log = dependsOn === 'node' ? columns.nodeLog : columns.podLog
  }

  protected abstract resize(capacity: number): void
  protected abstract put(slot: number, value: number): void

  /** Whether there is nothing to catch up with. */
  get isCurrent(): boolean {
    return this.#cursor === this.#log.head
  }

  /** Asks again about the nodes of which something changed that the plugin depends on. */
  protected catchUp(ask: (node: NodeInfo) => number): void {
    const columns = this.#columns
    if (this.#cursor === this.#log.head) return
    if (this.#capacity < columns.capacity) {
      this.resize(columns.capacity)
      this.#capacity = columns.capacity
    }
    if (this.#cursor >= 0 && this.#log.since(this.#cursor, columns.used, changed)) {
      for (const slot of changed) this.#ask(slot, ask)
    } else {
      for (let slot = 0; slot < columns.used; slot++) this.#ask(slot, ask)
    }
    this.#cursor = this.#log.head
  }

  #ask(slot: number, ask: (node: NodeInfo) => number): void {
    const node = this.#columns.infos[slot]
    this.put(slot, node ? ask(node) : absent)
  }
}

/** A filter's verdict by slot, for pods of which the plugin reads the same. */
export class FilterColumn extends SyncedColumn {
  statuses = new Int32Array(0)
  /** How many nodes are rejected. */
  rejected = 0

  sync(ask: (node: NodeInfo) => number): void {
    this.catchUp(ask)
  }

  protected resize(capacity: number): void {
    const statuses = new Int32Array(capacity).fill(absent)
    statuses.set(this.statuses)
    this.statuses = statuses
  }

  protected put(slot: number, value: number): void {
    const before = this.statuses[slot] ?? absent
    if (before > passes) this.rejected--
    if (value > passes) this.rejected++
    this.statuses[slot] = value
  }
}

/** A plugin's scores by slot, before they are normalized; each as the number of one of the different `values`. */
export class ScoreColumn extends SyncedColumn {
  codes = new Int32Array(0)
  readonly values: number[] = []
  readonly #codeOf = new Map<number, number>()
  readonly #counts: number[] = []
  /** How many different scores the nodes have. */
  distinct = 0

  sync(ask: (node: NodeInfo) => number): void {
    // Scores are numbers of any size, absence is not one of them: it is told apart by the code.
    this.catchUp((node) => this.#code(ask(node)))
  }

  /** The one score that all nodes have; undefined where they differ, or there are no nodes. */
  get uniform(): number | undefined {
    return this.distinct === 1 ? this.values[this.#counts.findIndex((count) => count > 0)] : undefined
  }

  at(slot: number): number {
    return this.values[this.codes[slot] ?? absent] ?? 0
  }

  #code(value: number): number {
    let code = this.#codeOf.get(value)
    if (code === undefined) {
      code = this.values.length
      this.#codeOf.set(value, code)
      this.values.push(value)
      this.#counts.push(0)
    }
    return code
  }

  protected resize(capacity: number): void {
    const codes = new Int32Array(capacity).fill(absent)
    codes.set(this.codes)
    this.codes = codes
  }

  protected put(slot: number, code: number): void {
    this.#count(this.codes[slot] ?? absent, -1)
    this.#count(code, 1)
    this.codes[slot] = code
  }

  #count(code: number, amount: 1 | -1): void {
    if (code < 0) return
    const now = (this.#counts[code] ?? 0) + amount
    this.#counts[code] = now
    if (amount === 1 && now === 1) this.distinct++
    else if (now === 0) this.distinct--
  }
}
