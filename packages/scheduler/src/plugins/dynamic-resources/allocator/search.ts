import type { Node } from '@berth/api/types/core/v1'
import type { AllocationResult, ResourceClaim } from '@berth/api/types/resource/v1'
import { addConsumed, consumedBy, hasCapacity } from './capacity.ts'
import { constraintOf, type Constraint } from './constraints.ts'
import { CounterBook } from './counters.ts'
import { gatherPools, placeMatches, type Pool } from './pools.ts'
import { checkRequest, planRequest, taintPrevents, viewsOf, type Candidate, type PlannedRequest } from './requests.ts'
import { resultOf, type Pick } from './results.ts'
import { AllocationError, claimKey, deviceId, maxResults, NodeAllocationError, type AllocationInput, type ConsumedCapacity, type DeviceId } from './types.ts'

/** Whether the rest could be allocated; `exceeded` where no choice of devices can help, since a claim would get too many. */
type Outcome = boolean | 'exceeded'

interface Position {
  readonly claim: number
  readonly request: number
  /** The alternative, once it is chosen. */
  readonly alternative?: number
  /** How many devices the request has by now. */
  readonly device: number
  /** Where the next device is looked for: devices of one request are combined, not permuted. */
  readonly from: readonly [pool: number, slice: number, device: number]
}

const start = [0, 0, 0] as const

/**
 * Allocates claims on a node: the first combination of devices that fits, in the order of pools, slices and devices. A search
 * that goes back where it fails; exhaustive, bounded by `checkTime`. Undefined where the node does not have what is needed.
 * Throws {@link AllocationError} for a claim that cannot be allocated anywhere, {@link NodeAllocationError} for trouble with this node's pools.
 */
export function allocate(input: AllocationInput, node: Node, claims: readonly ResourceClaim[]): AllocationResult[] | undefined {
  return new Search(input, node, claims).run()
}

class Search {
  readonly #input: AllocationInput
  readonly #node: Node
  readonly #claims: readonly ResourceClaim[]
  readonly #pools: readonly Pool[]
  readonly #counters: CounterBook
  /** By claim, request and alternative. */
  readonly #plans: PlannedRequest[][][] = []
  readonly #constraints: Constraint[][] = []
  readonly #picks: Pick[][] = []
  /** Which claims of this search have a device; admin access may use one that another has. */
  readonly #taken = new Map<DeviceId, Set<number>>()
  readonly #shared = new Map<DeviceId, ConsumedCapacity>()
  readonly #selected = new Map<PlannedRequest['view'], Map<DeviceId, boolean>>()
  /** The alternatives that the found solution uses, by claim and request. */
  readonly #chosen: number[][] = []

  constructor(input: AllocationInput, node: Node, claims: readonly ResourceClaim[]) {
    this.#input = input
    this.#node = node
    this.#claims = claims
    this.#pools = gatherPools(input.slices, node, input.features)
    this.#counters = new CounterBook(input.allocated)
  }

  run(): AllocationResult[] | undefined {
    this.#plan()
    if (this.#next({ claim: 0, request: 0, device: 0, from: start }) !== true) {
      if (this.#pools.some(({ state }) => state === 'invalid')) throw new NodeAllocationError('invalid resource pools were encountered')
      return undefined
    }
    return this.#claims.map((claim, index) => {
      const plans = (this.#plans[index] ?? []).flatMap((alternatives, request) => alternatives[this.#chosen[index]?.[request] ?? 0] ?? [])
      return resultOf(claim, plans, this.#picks[index] ?? [], this.#node.metadata.name, this.#input.features)
    })
  }

  #plan(): void {
    for (const [index, claim] of this.#claims.entries()) {
      const { requests = [], constraints = [] } = claim.spec.devices ?? {}
      const plans = requests.map((request) => {
        checkRequest(claim, request, this.#input)
        return viewsOf(request).map((view) => planRequest(claim, view, this.#input, this.#pools, (candidate, planned) => this.#selectable(claim, planned, candidate) && this.#hasCapacity(planned, candidate)))
      })
      const least = plans.reduce((sum, alternatives) => sum + Math.min(...alternatives.map(({ count }) => count)), 0)
      if (least > maxResults) throw new AllocationError(`claim ${claimKey(claim)}: number of requested devices ${least} exceeds the claim limit of ${maxResults}`)
      this.#plans[index] = plans
      this.#picks[index] = []
      this.#chosen[index] = []
      this.#constraints[index] = constraints.map((constraint, number) => constraintOf(constraint, claimKey(claim), number))
    }
  }

  #next(at: Position): Outcome {
    this.#input.checkTime()
    const plans = this.#plans[at.claim]
    if (plans === undefined) return true
    const alternatives = plans[at.request]
    if (alternatives === undefined) {
      const outcome = this.#next({ claim: at.claim + 1, request: 0, device: 0, from: start })
      // Too many devices for a later claim: another choice here can leave it a smaller alternative.
      return outcome === 'exceeded' ? false : outcome
    }
    if (at.alternative === undefined && alternatives[0]?.view.parent !== undefined) return this.#firstAvailable(at, alternatives.length)
    const plan = alternatives[at.alternative ?? 0]
    if (plan === undefined) return false
    if (plan.all?.length === 0) return false
    if (at.device >= plan.count) return this.#next({ claim: at.claim, request: at.request + 1, device: 0, from: start })
    if ((this.#picks[at.claim]?.length ?? 0) + plan.count - at.device > maxResults) return 'exceeded'
    return plan.all === undefined ? this.#any(at, plan) : this.#fixed(at, plan, plan.all)
  }

  #firstAvailable(at: Position, count: number): Outcome {
    let allExceeded = true
    for (let alternative = 0; alternative < count; alternative++) {
      const outcome = this.#next({ ...at, alternative, from: start })
      if (outcome === 'exceeded') continue
      allExceeded = false
      if (outcome) {
        const chosen = this.#chosen[at.claim]
        if (chosen) chosen[at.request] = alternative
        return true
      }
    }
    return allExceeded ? 'exceeded' : false
  }

  // All devices are needed anyhow: only one order is tried.
  #fixed(at: Position, plan: PlannedRequest, all: readonly Candidate[]): Outcome {
    const candidate = all[at.device]
    const undo = candidate && this.#take(at, plan, candidate, true)
    if (!undo) return false
    const outcome = this.#next({ ...at, device: at.device + 1, from: start })
    if (outcome !== true) undo()
    return outcome
  }

  #any(at: Position, plan: PlannedRequest): Outcome {
    const [fromPool, fromSlice, fromDevice] = at.from
    const claim = this.#claims[at.claim]
    for (let poolIndex = fromPool; poolIndex < this.#pools.length; poolIndex++) {
      const pool = this.#pools[poolIndex]
      if (pool?.state !== 'usable' || claim === undefined) continue
      for (let sliceIndex = poolIndex === fromPool ? fromSlice : 0; sliceIndex < pool.slices.length; sliceIndex++) {
        const slice = pool.slices[sliceIndex]
        const devices = slice?.spec.devices ?? []
        for (let index = poolIndex === fromPool && sliceIndex === fromSlice ? fromDevice : 0; index < devices.length; index++) {
          const device = devices[index]
          if (device === undefined || slice === undefined) continue
          const candidate = { device, slice, pool }
          if (this.#inUse(at.claim, plan, candidate) || !this.#selectable(claim, plan, candidate) || !this.#hasCapacity(plan, candidate)) continue
          const undo = this.#take(at, plan, candidate, false)
          if (!undo) continue
          const outcome = this.#next({ ...at, device: at.device + 1, from: [poolIndex, sliceIndex, index + 1] })
          if (outcome === true) return true
          undo()
          if (outcome === 'exceeded') return outcome
        }
      }
    }
    return false
  }

  #inUse(claim: number, { view }: PlannedRequest, { pool, device }: Candidate): boolean {
    const id = deviceId(pool.driver, pool.name, device.name)
    const holders = this.#taken.get(id)
    if (view.adminAccess) return holders?.has(claim) === true
    return this.#input.allocated.devices.has(id) || (holders?.size ?? 0) > 0
  }

  #selectable(claim: ResourceClaim, plan: PlannedRequest, { device, slice, pool }: Candidate): boolean {
    const { features, selects } = this.#input
    if (!features.bindingConditions && (device.bindingConditions ?? []).length > 0) return false
    const id = deviceId(pool.driver, pool.name, device.name)
    let known = this.#selected.get(plan.view)
    if (!known) this.#selected.set(plan.view, known = new Map())
    const before = known.get(id)
    if (before !== undefined) return before
    const matches = (selectors: readonly { cel?: { expression: string } }[], about: string): boolean => selectors.every(({ cel }, index) => {
      try {
        return selects(cel?.expression ?? '', device, pool.driver)
      } catch (error) {
        throw new AllocationError(`${about}: selector #${index}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      }
    })
    const selectable = matches(plan.class.spec.selectors ?? [], `class ${plan.class.metadata.name}`)
      && matches(plan.view.body.selectors ?? [], `claim ${claimKey(claim)}`)
      && (slice.spec.perDeviceNodeSelection !== true || placeMatches(this.#node, device))
    known.set(id, selectable)
    return selectable
  }

  #hasCapacity({ view }: PlannedRequest, { device, pool }: Candidate): boolean {
    if (!this.#input.features.consumableCapacity) return true
    const id = deviceId(pool.driver, pool.name, device.name)
    return hasCapacity(device, view.body.capacity, [this.#input.allocated.shared.get(id), this.#shared.get(id)])
  }

  /** Takes a device for a request; gives the way back, or undefined where it cannot be had. */
  #take(at: Position, plan: PlannedRequest, candidate: Candidate, must: boolean): (() => void) | undefined {
    const { features, allocated } = this.#input
    const { device, pool } = candidate
    const { view } = plan
    const id = deviceId(pool.driver, pool.name, device.name)
    const sharable = features.consumableCapacity && device.allowMultipleAllocations === true
    if (!(sharable && view.adminAccess) && this.#inUse(at.claim, plan, candidate)) return undefined
    const consumes = (device.consumesCounters ?? []).length > 0
    if (consumes && !features.partitionableDevices) return undefined
    const undo: (() => void)[] = []
    const back = (): void => {
      for (const step of undo.reverse()) step()
    }
    // A device that is shared already has its counters.
    if (consumes && !(sharable && (allocated.shared.has(id) || this.#shared.has(id)))) {
      if (!this.#counters.take(pool, device)) return undefined
      undo.push(() => this.#counters.giveBack(pool, device))
    }
    if (features.deviceTaints && taintPrevents(device, view)) {
      back()
      return undefined
    }
    const request = view.parent ?? view.name
    const alternative = view.parent === undefined ? undefined : view.name
    for (const constraint of this.#constraints[at.claim] ?? []) {
      if (!constraint.add(request, alternative, device, pool.driver)) {
        back()
        const claim = this.#claims[at.claim]
        if (!must || claim === undefined) return undefined
        throw new AllocationError(`claim ${claimKey(claim)}, request ${view.name}: cannot add device ${id} because a claim constraint would not be satisfied`)
      }
      undo.push(() => constraint.remove(request, alternative))
    }
    if (!this.#hasCapacity(plan, candidate)) {
      back()
      return undefined
    }
    const consumed = sharable ? consumedBy(view.body.capacity, device.capacity) : undefined
    this.#mark(id, at.claim, consumed, undo)
    const picks = this.#picks[at.claim] ?? []
    picks.push({ plan, candidate, ...(consumed === undefined ? {} : { consumed, shareId: this.#input.newShareId() }) })
    undo.push(() => picks.pop())
    return back
  }

  #mark(id: DeviceId, claim: number, consumed: ConsumedCapacity | undefined, undo: (() => void)[]): void {
    if (consumed === undefined) {
      const holders = this.#taken.get(id) ?? new Set()
      this.#taken.set(id, holders.add(claim))
      undo.push(() => holders.delete(claim))
      return
    }
    const before = this.#shared.get(id)
    this.#shared.set(id, addConsumed(before, consumed))
    undo.push(() => {
      if (before === undefined) this.#shared.delete(id)
      else this.#shared.set(id, before)
    })
  }
}
