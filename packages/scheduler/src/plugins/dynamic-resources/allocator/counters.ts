import { parseQuantity, type Quantity } from '@berth/kube'
import type { Device } from '@berth/api/types/resource/v1'
import type { Pool } from './pools.ts'
import { deviceId, type AllocatedState } from './types.ts'

/** What is left of the counters that the devices of a pool share: parts of one piece of hardware that exclude each other. */
export class CounterBook {
  readonly #allocated: AllocatedState
  /** By pool (its counters are its own), then by counter set and counter. */
  readonly #left = new Map<Pool, Map<string, Quantity>>()

  constructor(allocated: AllocatedState) {
    this.#allocated = allocated
  }

  /** Takes what a device consumes; false, and nothing taken, where a counter does not have it. */
  take(pool: Pool, device: Device): boolean {
    const left = this.#of(pool)
    change(left, device, -1)
    // Any counter below zero rules the device out, also one that others have overdrawn.
    if ([...left.values()].every((amount) => amount.sign() >= 0)) return true
    change(left, device, 1)
    return false
  }

  giveBack(pool: Pool, device: Device): void {
    change(this.#of(pool), device, 1)
  }

  #of(pool: Pool): Map<string, Quantity> {
    const known = this.#left.get(pool)
    if (known) return known
    const left = new Map<string, Quantity>()
    for (const set of pool.counterSets.values()) {
      for (const [name, { value }] of Object.entries(set.counters ?? {})) left.set(`${set.name}/${name}`, parseQuantity(value))
    }
    for (const slice of [...pool.slices, ...pool.elsewhere]) {
      for (const device of slice.spec.devices ?? []) {
        const id = deviceId(pool.driver, pool.name, device.name)
        if (this.#allocated.devices.has(id) || this.#allocated.shared.has(id)) change(left, device, -1)
      }
    }
    this.#left.set(pool, left)
    return left
  }
}

function change(left: Map<string, Quantity>, device: Device, sign: 1 | -1): void {
  for (const { counterSet, counters = {} } of device.consumesCounters ?? []) {
    for (const [name, { value }] of Object.entries(counters)) {
      const key = `${counterSet}/${name}`
      const amount = left.get(key)
      if (amount) left.set(key, sign === 1 ? amount.add(parseQuantity(value)) : amount.sub(parseQuantity(value)))
    }
  }
}
