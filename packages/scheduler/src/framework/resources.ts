import type { ResourceAmounts } from '@berth/pod-rules'

/** Amounts as plugins read them: the usual ones as fields, the rest by name. cpu in thousandths, all else in whole units. */
export class Resources {
  milliCpu = 0
  memory = 0
  ephemeralStorage = 0
  readonly scalar = new Map<string, number>()

  static of(amounts: Readonly<ResourceAmounts>): Resources {
    const resources = new Resources()
    resources.add(amounts, 1)
    return resources
  }

  /** Adds the amounts, or takes them away (`sign` -1). */
  add(amounts: Readonly<ResourceAmounts>, sign: 1 | -1): void {
    for (const name in amounts) {
      const amount = (amounts[name] ?? 0) * sign
      if (name === 'cpu') this.milliCpu += amount
      else if (name === 'memory') this.memory += amount
      else if (name === 'ephemeral-storage') this.ephemeralStorage += amount
      else if (name !== 'pods') this.scalar.set(name, (this.scalar.get(name) ?? 0) + amount)
    }
  }

  /** Adds what another one has. */
  addAll(other: Resources): void {
    this.milliCpu += other.milliCpu
    this.memory += other.memory
    this.ephemeralStorage += other.ephemeralStorage
    for (const [name, amount] of other.scalar) this.scalar.set(name, (this.scalar.get(name) ?? 0) + amount)
  }

  /** The amount of a resource by its API name. */
  get(name: string): number {
    if (name === 'cpu') return this.milliCpu
    if (name === 'memory') return this.memory
    if (name === 'ephemeral-storage') return this.ephemeralStorage
    return this.scalar.get(name) ?? 0
  }
}
