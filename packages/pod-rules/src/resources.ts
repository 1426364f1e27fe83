import { parseQuantity } from '@berth/api'
import type { Container, ContainerStatus, Pod } from '@berth/api/types/core/v1'

/** Amounts by resource name: cpu in thousandths, everything else in whole units, rounded up. Exact up to 2^53. */
export type ResourceAmounts = Record<string, number>

const parsed = new Map<string, number>()
const parsedLimit = 4096

/** An amount's number: cpu in thousandths, everything else in whole units, rounded up. Throws QuantityError. */
export function amountOf(resource: string, quantity: string): number {
  const key = resource === 'cpu' ? `m${quantity}` : quantity
  const known = parsed.get(key)
  if (known !== undefined) return known
  const amount = parseQuantity(quantity)
  const value = Number(resource === 'cpu' ? amount.milliValue() : amount.value())
  if (parsed.size >= parsedLimit) parsed.clear()
  parsed.set(key, value)
  return value
}

/** The amounts of a resource list. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): ResourceAmounts {
  const amounts: ResourceAmounts = {}
  for (const [name, quantity] of Object.entries(list ?? {})) amounts[name] = amountOf(name, quantity)
  return amounts
}

function addTo(sum: ResourceAmounts, more: Readonly<ResourceAmounts>): void {
  for (const [name, amount] of Object.entries(more)) sum[name] = (sum[name] ?? 0) + amount
}

function raiseTo(floor: ResourceAmounts, other: Readonly<ResourceAmounts>): void {
  for (const [name, amount] of Object.entries(other)) floor[name] = Math.max(floor[name] ?? 0, amount)
}

/** Which of a container's amounts are summed. */
export interface PodAmountOptions {
  /** requests (where absent: none) or limits. */
  readonly of?: 'requests' | 'limits'
  /** Counts what a container has been given where a resize is under way (spec, allocated and actual: the most of them). */
  readonly statusResources?: boolean
  /** What a container counts for that does not ask for the resource: {cpu: 100, memory: 200 Mi} in scoring. */
  readonly missing?: Readonly<ResourceAmounts>
  /** Leaves spec.overhead out. */
  readonly excludeOverhead?: boolean
  /** Leaves spec.resources out. */
  readonly excludePodLevel?: boolean
}

const podLevelResources = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always'
}

/**
 * What a pod takes of a node, by resource: containers and sidecars together, or the largest init step where that is more;
 * pod-level resources in their place where set; overhead on top. Follows upstream's component-helpers resource.PodRequests.
 */
export function podAmounts(pod: Pick<Pod, 'spec' | 'status'>, options: PodAmountOptions = {}): ResourceAmounts {
  const of = options.of ?? 'requests'
  const statuses = new Map<string, ContainerStatus>()
  if (options.statusResources) {
    for (const status of [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]) statuses.set(status.name, status)
  }
  const infeasible = pod.status?.conditions?.some((c) => c.type === 'PodResizePending' && c.reason === 'Infeasible') ?? pod.status?.resize === 'Infeasible'
  const amountsFor = (container: Container): ResourceAmounts => {
    const status = statuses.get(container.name)
    let amounts = amountsOf(container.resources?.[of])
    if (status?.resources && of === 'requests') {
      const actual = amountsOf(status.resources.requests)
      raiseTo(actual, amountsOf(status.allocatedResources))
      if (!infeasible) raiseTo(actual, amounts)
      amounts = actual
    }
    for (const [name, amount] of Object.entries(options.missing ?? {})) amounts[name] ??= amount
    return amounts
  }
  const sum: ResourceAmounts = {}
  for (const container of pod.spec.containers) addTo(sum, amountsFor(container))
  const sidecars: ResourceAmounts = {}
  const init: ResourceAmounts = {}
  for (const container of pod.spec.initContainers ?? []) {
    const amounts = amountsFor(container)
    if (isSidecar(container)) {
      addTo(sum, amounts)
      addTo(sidecars, amounts)
      raiseTo(init, sidecars)
    } else {
      addTo(amounts, sidecars)
      raiseTo(init, amounts)
    }
  }
  raiseTo(sum, init)
  if (!options.excludePodLevel) {
    const own = amountsOf(pod.spec.resources?.[of])
    // A pod-level resize under way: the most of what is wanted, allocated and actual; what cannot be had is not wanted.
    const given: ResourceAmounts = {}
    if (options.statusResources && of === 'requests') {
      raiseTo(given, amountsOf(pod.status?.resources?.requests))
      raiseTo(given, amountsOf(pod.status?.allocatedResources))
    }
    for (const name of Object.keys(own)) {
      if (podLevelResources(name)) sum[name] = given[name] === undefined ? own[name] ?? 0 : Math.max(given[name], infeasible ? 0 : own[name] ?? 0)
    }
  }
  if (!options.excludeOverhead) addTo(sum, amountsOf(pod.spec.overhead))
  return sum
}
