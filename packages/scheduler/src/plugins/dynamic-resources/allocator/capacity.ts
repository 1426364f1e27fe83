import { formatQuantity, parseQuantity, Quantity } from '@berth/kube'
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, CapacityRequirements, Device, DeviceCapacity } from '@berth/api/types/resource/v1'
import type { ConsumedCapacity } from './types.ts'

/** How much of each capacity a request takes of a device: what it asks for, rounded up as the device's policy says, or the default. */
export function consumedBy(requested: CapacityRequirements | undefined, capacity: Device['capacity'] = {}): Map<string, Quantity> {
  return new Map(Object.entries(capacity).map(([name, offered]) => [name, amountOf(requested?.requests?.[name], offered)]))
}

function amountOf(requested: string | undefined, { value, requestPolicy }: DeviceCapacity): Quantity {
  if (requested === undefined) return parseQuantity(requestPolicy?.default ?? value)
  const amount = parseQuantity(requested)
  if (requestPolicy?.validRange?.min !== undefined) return roundUpToRange(amount, requestPolicy.validRange, parseQuantity(requestPolicy.validRange.min))
  const valid = (requestPolicy?.validValues ?? []).map(parseQuantity)
  return valid.find((candidate) => amount.cmp(candidate) <= 0) ?? amount
}

function roundUpToRange(amount: Quantity, range: CapacityRequestPolicyRange, min: Quantity): Quantity {
  if (amount.cmp(min) < 0) return min
  if (range.step === undefined) return amount
  const step = parseQuantity(range.step).value()
  const above = amount.value() - min.value()
  const steps = above / step + (above % step === 0n ? 0n : 1n)
  return new Quantity((min.value() + step * steps) * 1_000_000_000n, 'BinarySI')
}

function violates(amount: Quantity, policy: CapacityRequestPolicy | undefined): boolean {
  if (policy === undefined || policy.default !== undefined && amount.cmp(parseQuantity(policy.default)) === 0) return false
  if (policy.validRange !== undefined) {
    const { min, max, step } = policy.validRange
    if (max !== undefined && amount.cmp(parseQuantity(max)) > 0) return true
    return step !== undefined && (amount.value() - (min === undefined ? 0n : parseQuantity(min).value())) % parseQuantity(step).value() !== 0n
  }
  const valid = policy.validValues ?? []
  return valid.length > 0 && !valid.some((candidate) => amount.cmp(parseQuantity(candidate)) === 0)
}

/** Whether a device still has what a request asks of its capacities, beside what others have and what this search has given out. */
export function hasCapacity(device: Device, requested: CapacityRequirements | undefined, inUse: readonly (ConsumedCapacity | undefined)[]): boolean {
  const { capacity = {} } = device
  if (Object.keys(requested?.requests ?? {}).some((name) => !Object.hasOwn(capacity, name))) return false
  for (const [name, amount] of consumedBy(requested, capacity)) {
    const offered = capacity[name]
    if (offered === undefined || violates(amount, offered.requestPolicy)) return false
    const total = inUse.reduce((sum, taken) => {
      const more = taken?.get(name)
      return more === undefined ? sum : sum.add(more)
    }, amount)
    if (total.cmp(parseQuantity(offered.value)) > 0) return false
  }
  return true
}

/** Amounts as an allocation result has them. */
export function formatConsumed(consumed: ConsumedCapacity): Record<string, string> {
  return Object.fromEntries([...consumed].map(([name, amount]) => [name, formatQuantity(amount)]))
}

/** Adds (or with -1 takes back) amounts to what is in use of a device. */
export function addConsumed(to: ReadonlyMap<string, Quantity> | undefined, amounts: ConsumedCapacity, sign: 1 | -1 = 1): Map<string, Quantity> {
  const sum = new Map(to)
  for (const [name, amount] of amounts) {
    const before = sum.get(name) ?? new Quantity(0n, amount.format)
    sum.set(name, sign === 1 ? before.add(amount) : before.sub(amount))
  }
  return sum
}
