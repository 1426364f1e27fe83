import type { NodeInfo } from '../framework/node-info.ts'

/** The domain of a node that has no label of the key. */
export const noDomain = -1

/** The values of one label key on all nodes, as small numbers by slot. */
export class TopologyColumn {
  readonly key: string
  domains: Int32Array
  readonly #ids = new Map<string, number>()
  readonly #values: (string | undefined)[] = []
  #users: number[] = []
  /** How many nodes have the label. */
  nodes = 0
  readonly #free: number[] = []

  constructor(key: string, capacity: number) {
    this.key = key
    this.domains = new Int32Array(capacity).fill(noDomain)
  }

  /** Every domain's number is less than this. */
  get size(): number {
    return this.#values.length
  }

  /** Whether no two nodes share a domain. */
  get isPerNode(): boolean {
    return this.nodes === this.#ids.size
  }

  grow(capacity: number): void {
    const domains = new Int32Array(capacity).fill(noDomain)
    domains.set(this.domains)
    this.domains = domains
  }

  /** Takes over the node's label; undefined: there is no node at the slot. */
  set(slot: number, node: NodeInfo | undefined): void {
    const value = node?.labels[this.key]
    const before = this.domains[slot] ?? noDomain
    if (before !== noDomain) {
      if (this.#values[before] === value) return
      this.#leave(before)
    }
    this.domains[slot] = value === undefined ? noDomain : this.#enter(value)
  }

  #enter(value: string): number {
    let id = this.#ids.get(value)
    if (id === undefined) {
      id = this.#free.pop() ?? this.#values.length
      this.#ids.set(value, id)
      this.#values[id] = value
      this.#users[id] = 0
    }
    this.#users[id] = (this.#users[id] ?? 0) + 1
    this.nodes++
    return id
  }

  #leave(id: number): void {
    const left = (this.#users[id] ?? 1) - 1
    this.nodes--
    this.#users[id] = left
    if (left > 0) return
    const value = this.#values[id]
    if (value !== undefined) this.#ids.delete(value)
    this.#values[id] = undefined
    this.#free.push(id)
  }
}
