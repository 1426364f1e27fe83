import { balanceOf, improvement } from '../plugins/node-resources/balance.ts'
import type { FastForm } from '../framework/fast-form.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { unresolvable, unschedulable } from '../framework/status.ts'
import { balanceOfTwo, type NodeColumns, type ResourceColumn } from './columns.ts'
import { passes, type Statuses } from './statuses.ts'

type FitForm = Extract<FastForm, { kind: 'resource-fit' }>
type BalancedForm = Extract<FastForm, { kind: 'balanced-allocation' }>

interface Wanted { readonly name: string; readonly amount: number; readonly column: ResourceColumn }
interface Scored { readonly weight: number; readonly column: ResourceColumn; readonly used: 'cpu' | 'memory' | 'requested'; readonly amount: number }

const usual = new Set(['cpu', 'memory', 'ephemeral-storage'])
/** More resources than this do not fit into a verdict's mask: such a pod is decided by the plugin itself. */
export const maxExtendedResources = 20
const hopelessBit = 1 << 30

/** What of a pod the two resource plugins read, as text. */
export function resourceText(pod: PodInfo): string {
  const { requests, nonZero } = pod
  let text = `${requests.milliCpu} ${requests.memory} ${requests.ephemeralStorage} ${nonZero.milliCpu} ${nonZero.memory}`
  if (requests.scalar.size > 0) for (const [name, amount] of requests.scalar) text += ` ${name}=${amount}`
  return text
}

/** NodeResourcesFit and NodeResourcesBalancedAllocation for one pod's requests, over columns: slot by slot, or all in one pass. */
export class ResourceAsk {
  readonly #columns: NodeColumns
  readonly #pod: PodInfo
  readonly #wanted: Wanted[] = []
  readonly #fit: FitForm | undefined
  readonly #fitScored: Scored[]
  readonly #balanced: Scored[]
  readonly #statuses: Statuses
  readonly #plugin: string
  readonly #ids = new Map<number, number>()

  constructor(columns: NodeColumns, pod: PodInfo, statuses: Statuses, forms: { fit: FitForm | undefined; fitName: string; balanced: BalancedForm | undefined }) {
    this.#columns = columns
    this.#pod = pod
    this.#statuses = statuses
    this.#fit = forms.fit
    this.#plugin = forms.fitName
    const { requests } = pod
    const want = (name: string, amount: number): void => {
      if (amount !== 0) this.#wanted.push({ name, amount, column: columns.resource(name) })
    }
    want('cpu', requests.milliCpu)
    want('memory', requests.memory)
    want('ephemeral-storage', requests.ephemeralStorage)
    for (const [name, amount] of requests.scalar) if (!forms.fit?.ignored(name)) want(name, amount)
    this.#fitScored = this.#scored(forms.fit?.resources ?? [], true)
    this.#balanced = this.#scored(forms.balanced?.resources ?? [], false)
  }

  /** Extended resources that the pod does not ask for are left out. */
  #scored(resources: FitForm['resources'], nonZero: boolean): Scored[] {
    const { requests, nonZero: defaults } = this.#pod
    return resources.filter(({ name }) => usual.has(name) || requests.get(name) !== 0).map(({ name, weight }) => {
      const column = this.#columns.resource(name)
      if (nonZero && name === 'cpu') return { weight, column, used: 'cpu', amount: defaults.milliCpu }
      if (nonZero && name === 'memory') return { weight, column, used: 'memory', amount: defaults.memory }
      return { weight, column, used: 'requested', amount: requests.get(name) }
    })
  }

  /** Whether the pod asks for none of what balance is about: the plugin says nothing of it then. */
  static skipsBalance(pod: PodInfo, form: BalancedForm): boolean {
    for (const { name } of form.resources) if (pod.requests.get(name) !== 0) return false
    return true
  }

  /** The number of the fit's verdict on a node. */
  verdict(slot: number): number {
    const { podCount, allowedPods } = this.#columns
    let mask = (podCount[slot] ?? 0) + 1 > (allowedPods[slot] ?? 0) ? 1 : 0
    const wanted = this.#wanted
    for (let i = 0; i < wanted.length; i++) {
      const { amount, column } = wanted[i]!
      const allocatable = column.allocatable[slot] ?? 0
      if (amount <= allocatable - (column.requested[slot] ?? 0)) continue
      mask |= 2 << i
      if (amount > allocatable) mask |= hopelessBit
    }
    return mask === 0 ? passes : this.#idOf(mask)
  }

  #idOf(mask: number): number {
    let id = this.#ids.get(mask)
    if (id === undefined) {
      const reasons = mask & 1 ? ['Too many pods'] : []
      for (const [i, { name }] of this.#wanted.entries()) if (mask & (2 << i)) reasons.push(`Insufficient ${name}`)
      id = this.#statuses.idOf(mask & hopelessBit ? unresolvable(...reasons) : unschedulable(...reasons), this.#plugin)
      this.#ids.set(mask, id)
    }
    return id
  }

  /** Rejects, of the nodes that pass so far, those that lack something; `order` says which filter it was. */
  filterAll(verdicts: Int32Array, orders: Uint8Array, order: number): void {
    const { used, podCount, allowedPods } = this.#columns
    const [a, b] = this.#wanted
    if (!a || !b || this.#wanted.length > 2) {
      for (let slot = 0; slot < used; slot++) {
        if (verdicts[slot] !== passes) continue
        verdicts[slot] = this.verdict(slot)
        orders[slot] = order
      }
      return
    }
    const [amountA, amountB] = [a.amount, b.amount]
    const { allocatable: allocatableA, requested: requestedA } = a.column
    const { allocatable: allocatableB, requested: requestedB } = b.column
    for (let slot = 0; slot < used; slot++) {
      if (verdicts[slot] !== passes) continue
      if (amountA <= allocatableA[slot]! - requestedA[slot]! && amountB <= allocatableB[slot]! - requestedB[slot]! && podCount[slot]! < allowedPods[slot]!) continue
      verdicts[slot] = this.verdict(slot)
      orders[slot] = order
    }
  }

  /** NodeResourcesFit's score of a node. */
  fitScore(slot: number): number {
    const form = this.#fit
    if (!form) return 0
    const byRatio = form.strategy === 'RequestedToCapacityRatio'
    let sum = 0
    let weights = 0
    for (let i = 0; i < this.#fitScored.length; i++) {
      const { weight, column, used, amount } = this.#fitScored[i]!
      const allocatable = column.allocatable[slot] ?? 0
      if (allocatable === 0) continue
      const score = form.scoreOf(allocatable, this.#usedOf(used, column, slot) + amount)
      if (byRatio && score <= 0) continue
      sum += score * weight
      weights += weight
    }
    if (weights === 0) return 0
    return byRatio ? Math.round(sum / weights) : Math.trunc(sum / weights)
  }

  #usedOf(used: Scored['used'], column: ResourceColumn, slot: number): number {
    if (used === 'cpu') return this.#columns.nonZeroMilliCpu[slot] ?? 0
    return (used === 'memory' ? this.#columns.nonZeroMemory[slot] : column.requested[slot]) ?? 0
  }

  /** NodeResourcesBalancedAllocation's score of a node. */
  balancedScore(slot: number): number {
    const before: number[] = []
    const after: number[] = []
    for (const { column, amount } of this.#balanced) {
      const allocatable = column.allocatable[slot] ?? 0
      if (allocatable <= 0) continue
      after.push(Math.min(((column.requested[slot] ?? 0) + amount) / allocatable, 1))
      before.push(Math.min((column.requested[slot] ?? 0) / allocatable, 1))
    }
    return improvement(balanceOf(after), balanceOf(before))
  }

  /**
   * Filter and scores in one pass, for what is usual: cpu and memory asked for, the least allocated node preferred, cpu and
   * memory balanced. Gives how many nodes pass; -1 where it is not as usual, and nothing was done.
   */
  evaluateUsual(verdicts: Int32Array, orders: Uint8Array, sums: Float64Array, order: number, fitWeight: number, balancedWeight: number): number {
    const { columns: { used, podCount, allowedPods, nonZeroMilliCpu, nonZeroMemory, balance }, cpu, memory } = { columns: this.#columns, cpu: this.#columns.resource('cpu'), memory: this.#columns.resource('memory') }
    const [a, b] = this.#wanted
    const [x, y] = this.#fitScored
    const [m, n] = this.#balanced
    const isUsual = this.#wanted.length === 2 && a?.column === cpu && b?.column === memory && this.#fit?.strategy === 'LeastAllocated' &&
      this.#fitScored.length === 2 && x?.used === 'cpu' && y?.used === 'memory' && x.weight === 1 && y.weight === 1 &&
      this.#balanced.length === 2 && m?.column === cpu && n?.column === memory
    if (!isUsual || !a || !b || !x || !y) return -1
    const { allocatable: allocatableCpu, requested: requestedCpu } = cpu
    const { allocatable: allocatableMemory, requested: requestedMemory } = memory
    const [wantedCpu, wantedMemory, scoredCpu, scoredMemory] = [a.amount, b.amount, x.amount, y.amount]
    let passing = 0
    for (let slot = 0; slot < used; slot++) {
      if (verdicts[slot] !== passes) continue
      const hasCpu = allocatableCpu[slot]!
      const hasMemory = allocatableMemory[slot]!
      const takenCpu = requestedCpu[slot]! + wantedCpu
      const takenMemory = requestedMemory[slot]! + wantedMemory
      if (takenCpu > hasCpu || takenMemory > hasMemory || podCount[slot]! >= allowedPods[slot]!) {
        verdicts[slot] = this.verdict(slot)
        orders[slot] = order
        continue
      }
      passing++
      // Who fits has something of both, and what is free is no more than there is: all of these are 0 to 100.
      const freeCpu = hasCpu - nonZeroMilliCpu[slot]! - scoredCpu
      const freeMemory = hasMemory - nonZeroMemory[slot]! - scoredMemory
      const fit = ((freeCpu < 0 ? 0 : (freeCpu * 100) / hasCpu | 0) + (freeMemory < 0 ? 0 : (freeMemory * 100) / hasMemory | 0)) >> 1
      const after = (1 - Math.abs((takenCpu / hasCpu - takenMemory / hasMemory) / 2)) * 100 | 0
      sums[slot] = sums[slot]! + fitWeight * fit + balancedWeight * (50 + Math.trunc((50 + after - balance[slot]!) / 2))
    }
    return passing
  }

  /** Adds NodeResourcesFit's scores, times `weight`, to those of the nodes that pass. */
  addFitScores(sums: Float64Array, verdicts: Int32Array, weight: number): void {
    const { used, nonZeroMilliCpu, nonZeroMemory } = this.#columns
    const [a, b] = this.#fitScored
    const plain = this.#fit?.strategy === 'LeastAllocated' && this.#fitScored.length === 2 && a?.used === 'cpu' && b?.used === 'memory' && a.weight === 1 && b.weight === 1
    if (!plain || !a || !b) {
      for (let slot = 0; slot < used; slot++) if (verdicts[slot] === passes) sums[slot] = (sums[slot] ?? 0) + weight * this.fitScore(slot)
      return
    }
    const [amountA, amountB] = [a.amount, b.amount]
    const allocatableA = a.column.allocatable
    const allocatableB = b.column.allocatable
    for (let slot = 0; slot < used; slot++) {
      if (verdicts[slot] !== passes) continue
      const cpu = allocatableA[slot]!
      const memory = allocatableB[slot]!
      if (cpu === 0 || memory === 0) {
        sums[slot] = sums[slot]! + weight * this.fitScore(slot)
        continue
      }
      const freeCpu = cpu - nonZeroMilliCpu[slot]! - amountA
      const freeMemory = memory - nonZeroMemory[slot]! - amountB
      const score = (freeCpu < 0 ? 0 : Math.trunc((freeCpu * maxNodeScore) / cpu)) + (freeMemory < 0 ? 0 : Math.trunc((freeMemory * maxNodeScore) / memory))
      sums[slot] = sums[slot]! + weight * Math.trunc(score / 2)
    }
  }

  /** Adds NodeResourcesBalancedAllocation's scores likewise. */
  addBalancedScores(sums: Float64Array, verdicts: Int32Array, weight: number): void {
    const { used } = this.#columns
    const [a, b] = this.#balanced
    if (!a || !b || this.#balanced.length !== 2) {
      for (let slot = 0; slot < used; slot++) if (verdicts[slot] === passes) sums[slot] = (sums[slot] ?? 0) + weight * this.balancedScore(slot)
      return
    }
    const [amountA, amountB] = [a.amount, b.amount]
    const { allocatable: allocatableA, requested: requestedA } = a.column
    const { allocatable: allocatableB, requested: requestedB } = b.column
    for (let slot = 0; slot < used; slot++) {
      if (verdicts[slot] !== passes) continue
      const one = allocatableA[slot]!
      const other = allocatableB[slot]!
      let before = maxNodeScore
      let after = maxNodeScore
      if (one > 0 && other > 0) {
        before = balanceOfTwo(requestedA[slot]! / one, requestedB[slot]! / other)
        after = balanceOfTwo((requestedA[slot]! + amountA) / one, (requestedB[slot]! + amountB) / other)
      }
      sums[slot] = sums[slot]! + weight * improvement(after, before)
    }
  }
}
