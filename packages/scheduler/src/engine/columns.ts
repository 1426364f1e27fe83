import type { NodeInfo } from '../framework/node-info.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import { ChangeLog } from './change-log.ts'
import { TopologyColumn } from './topology.ts'

/** What nodes have of one resource, and what of it is asked for; by slot. */
export interface ResourceColumn {
  allocatable: Float64Array
  requested: Float64Array
}

const changedPods = 1
const changedNode = 2

function grown(old: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const array = new Float64Array(capacity)
  array.set(old)
  return array
}

/** balanceOf for two fractions, without a list of them. */
export function balanceOfTwo(x: number, y: number): number {
  return Math.trunc((1 - Math.abs(((x > 1 ? 1 : x) - (y > 1 ? 1 : y)) / 2)) * maxNodeScore)
}

/**
 * The nodes by number (their *slot*), and in columns what the fast forms read of them. Changes only mark a slot; `refresh`
 * takes them over and enters the slot in the logs, once for however many changes there were.
 */
export class NodeColumns {
  /** The length of every column. */
  capacity = 64
  /** Slots from here on were never used. */
  used = 0
  /** How many nodes there are. */
  nodes = 0
  readonly infos: (NodeInfo | undefined)[] = []
  alive = new Uint8Array(64)
  podCount = new Float64Array(64)
  allowedPods = new Float64Array(64)
  nonZeroMilliCpu = new Float64Array(64)
  nonZeroMemory = new Float64Array(64)
  /** How evenly cpu and memory are asked for (balanceOf). */
  balance = new Float64Array(64)
  readonly #resources = new Map<string, ResourceColumn>()
  readonly #topologies = new Map<string, TopologyColumn>()
  /** Slots at which the node itself changed, and those at which it or its pods did. */
  readonly nodeLog = new ChangeLog()
  readonly podLog = new ChangeLog()
  readonly #slots = new Map<string, number>()
  readonly #free: number[] = []
  #marks = new Uint8Array(64)
  readonly #marked: number[] = []

  constructor() {
    for (const name of ['cpu', 'memory', 'ephemeral-storage']) this.#resources.set(name, { allocatable: new Float64Array(64), requested: new Float64Array(64) })
  }

  slotOf(node: string): number | undefined {
    return this.#slots.get(node)
  }

  /** A resource's column; made where nobody asked for it before. */
  resource(name: string): ResourceColumn {
    let column = this.#resources.get(name)
    if (!column) {
      column = { allocatable: new Float64Array(this.capacity), requested: new Float64Array(this.capacity) }
      this.#resources.set(name, column)
      for (let slot = 0; slot < this.used; slot++) {
        column.allocatable[slot] = this.infos[slot]?.allocatable.get(name) ?? 0
        column.requested[slot] = this.infos[slot]?.requested.get(name) ?? 0
      }
    }
    return column
  }

  /** A label key's column; made where nobody asked for it before. */
  topology(key: string): TopologyColumn {
    let column = this.#topologies.get(key)
    if (!column) {
      column = new TopologyColumn(key, this.capacity)
      this.#topologies.set(key, column)
      for (let slot = 0; slot < this.used; slot++) column.set(slot, this.infos[slot])
    }
    return column
  }

  /** The node's slot; a free one where it has none. */
  put(node: NodeInfo): number {
    let slot = this.#slots.get(node.name)
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.used++
      if (slot >= this.capacity) this.#grow()
      this.#slots.set(node.name, slot)
      this.nodes++
    }
    this.infos[slot] = node
    node.slot = slot
    this.#mark(slot, changedNode | changedPods)
    return slot
  }

  remove(node: NodeInfo): void {
    const slot = this.#slots.get(node.name)
    if (slot === undefined) return
    this.#slots.delete(node.name)
    this.infos[slot] = undefined
    node.slot = -1
    this.#free.push(slot)
    this.nodes--
    this.#mark(slot, changedNode | changedPods)
  }

  /** Something on the node changed. */
  touch(slot: number): void {
    this.#mark(slot, changedPods)
  }

  #mark(slot: number, what: number): void {
    if (this.#marks[slot] === 0) this.#marked.push(slot)
    this.#marks[slot] = (this.#marks[slot] ?? 0) | what
  }

  /** Takes over all that has changed. */
  refresh(): void {
    if (this.#marked.length === 0) return
    for (const slot of this.#marked) {
      const what = this.#marks[slot] ?? 0
      this.#marks[slot] = 0
      const info = this.infos[slot]
      if (what & changedNode) this.#takeNode(slot, info)
      if (info) this.#takePods(slot, info)
      this.podLog.record(slot)
      if (what & changedNode) this.nodeLog.record(slot)
    }
    this.#marked.length = 0
  }

  #takeNode(slot: number, info: NodeInfo | undefined): void {
    this.alive[slot] = info ? 1 : 0
    for (const topology of this.#topologies.values()) topology.set(slot, info)
    if (!info) return
    this.allowedPods[slot] = info.allowedPods
    for (const name of info.allocatable.scalar.keys()) this.resource(name)
    for (const [name, column] of this.#resources) column.allocatable[slot] = info.allocatable.get(name)
  }

  #takePods(slot: number, info: NodeInfo): void {
    this.podCount[slot] = info.pods.size
    this.nonZeroMilliCpu[slot] = info.nonZeroMilliCpu
    this.nonZeroMemory[slot] = info.nonZeroMemory
    for (const name of info.requested.scalar.keys()) this.resource(name)
    for (const [name, column] of this.#resources) column.requested[slot] = info.requested.get(name)
    const { allocatable, requested } = info
    this.balance[slot] = allocatable.milliCpu > 0 && allocatable.memory > 0 ? balanceOfTwo(requested.milliCpu / allocatable.milliCpu, requested.memory / allocatable.memory) : maxNodeScore
  }

  #grow(): void {
    const capacity = this.capacity * 2
    this.capacity = capacity
    this.podCount = grown(this.podCount, capacity)
    this.allowedPods = grown(this.allowedPods, capacity)
    this.nonZeroMilliCpu = grown(this.nonZeroMilliCpu, capacity)
    this.nonZeroMemory = grown(this.nonZeroMemory, capacity)
    this.balance = grown(this.balance, capacity)
    for (const column of this.#resources.values()) {
      column.allocatable = grown(column.allocatable, capacity)
      column.requested = grown(column.requested, capacity)
    }
    for (const topology of this.#topologies.values()) topology.grow(capacity)
    const alive = new Uint8Array(capacity)
    alive.set(this.alive)
    this.alive = alive
    const marks = new Uint8Array(capacity)
    marks.set(this.#marks)
    this.#marks = marks
  }
}
