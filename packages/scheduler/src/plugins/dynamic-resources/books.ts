import { parseQuantity } from '@berth/kube'
import type { AllocationResult, ResourceClaim } from '@berth/api/types/resource/v1'
import { addConsumed } from './allocator/capacity.ts'
import { deviceId, type AllocatedState, type ConsumedCapacity, type DeviceId } from './allocator/types.ts'

/** Which devices one allocation has: alone, or in part. */
interface Taken {
  readonly devices: readonly DeviceId[]
  readonly shared: readonly (readonly [DeviceId, ConsumedCapacity])[]
}

const takenBy = new WeakMap<AllocationResult, Taken>()

function takenOf(allocation: AllocationResult, consumable: boolean): Taken {
  const known = takenBy.get(allocation)
  if (known) return known
  const devices: DeviceId[] = []
  const shared: [DeviceId, ConsumedCapacity][] = []
  for (const { driver, pool, device, adminAccess, shareID, consumedCapacity = {} } of allocation.devices?.results ?? []) {
    // Access for administration takes nothing.
    if (adminAccess === true) continue
    const id = deviceId(driver, pool, device)
    if (consumable && shareID !== undefined) shared.push([id, new Map(Object.entries(consumedCapacity).map(([name, amount]) => [name, parseQuantity(amount)]))])
    else devices.push(id)
  }
  const taken = { devices, shared }
  takenBy.set(allocation, taken)
  return taken
}

/**
 * What was decided about claims and is not in the API, or has not come back from it: allocations on their way, by claim uid, and
 * claims as we wrote them. One for all profiles of a scheduler.
 */
export class ClaimBooks {
  readonly #inFlight = new Map<string, AllocationResult>()
  readonly #written = new Map<string, ResourceClaim>()

  /** A claim as it counts now: ours where it is newer than what has come from the API. */
  current(key: string, api: ResourceClaim | undefined): ResourceClaim | undefined {
    const ours = this.#written.get(key)
    if (!ours) return api
    if (api && api.metadata.uid === ours.metadata.uid && BigInt(api.metadata.resourceVersion ?? 0) < BigInt(ours.metadata.resourceVersion ?? 0)) return ours
    this.#written.delete(key)
    return api
  }

  inFlight(uid: string): AllocationResult | undefined {
    return this.#inFlight.get(uid)
  }

  depart(uid: string, allocation: AllocationResult): void {
    this.#inFlight.set(uid, allocation)
  }

  /** Forgets an allocation that did not come to be; says whether there was one. */
  takeBack(uid: string): boolean {
    return this.#inFlight.delete(uid)
  }

  /** The claim is written as given. */
  arrive(claim: ResourceClaim): void {
    this.#written.set(`${claim.metadata.namespace ?? ''}/${claim.metadata.name}`, claim)
    this.#inFlight.delete(claim.metadata.uid ?? '')
  }

  /** All devices that claims have, those on their way among them. */
  allocated(claims: ReadonlyMap<string, ResourceClaim>, consumable: boolean): AllocatedState {
    const devices = new Set<DeviceId>()
    const shared = new Map<DeviceId, ConsumedCapacity>()
    const count = (allocation: AllocationResult): void => {
      const taken = takenOf(allocation, consumable)
      for (const id of taken.devices) devices.add(id)
      for (const [id, amounts] of taken.shared) shared.set(id, addConsumed(shared.get(id), amounts))
    }
    for (const [key, api] of claims) {
      const claim = this.current(key, api)
      if (claim?.status?.allocation) count(claim.status.allocation)
    }
    for (const allocation of this.#inFlight.values()) count(allocation)
    return { devices, shared }
  }
}

const booksOf = new WeakMap<object, ClaimBooks>()

/** The books that go with a client: plugins of several profiles share them. */
export function sharedBooks(owner: object): ClaimBooks {
  let books = booksOf.get(owner)
  if (!books) booksOf.set(owner, books = new ClaimBooks())
  return books
}
