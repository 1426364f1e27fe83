// How many replicas a metric asks for. Usages and targets are in thousandths of the metric's unit.
import type { MeasuredPods } from './pod-metrics.ts'

/** How far the ratio of usage to target may be from one before anything is done. */
export interface Tolerances {
  readonly down: number
  readonly up: number
}

/** What a metric asks for, and what it was. */
export interface Proposal {
  readonly replicas: number
  /** The average of a pod, or the whole where the target is a whole. */
  readonly usage: bigint
  /** Percent of what is requested; for targets of that kind. */
  readonly utilization?: number
}

interface Ratio {
  readonly ratio: number
  readonly usage: bigint
  readonly utilization?: number
}

const maxInt32 = 2 ** 31 - 1
const maxInt64 = 2n ** 63n - 1n

const isWithin = (ratio: number, { down, up }: Tolerances): boolean => 1 - down <= ratio && ratio <= 1 + up
const replicaCount = (wanted: number): number => (Number.isNaN(wanted) ? 0 : Math.min(Math.ceil(wanted), maxInt32))

/** By the usage of each pod as percent of what it requests. Throws where no measured pod requests anything. */
export function utilizationReplicas(pods: MeasuredPods, requests: ReadonlyMap<string, bigint>, target: number, current: number, tolerances: Tolerances): Proposal {
  const ratioOf = (values: ReadonlyMap<string, bigint>): Ratio => {
    const known = [...values].filter(([name]) => requests.has(name))
    const used = known.reduce((sum, [, value]) => sum + value, 0n)
    const requested = known.reduce((sum, [name]) => sum + (requests.get(name) ?? 0n), 0n)
    if (requested === 0n) throw new Error('no metrics returned matched known pods')
    const utilization = Number(used * 100n / requested)
    return { ratio: utilization / target, utilization, usage: used / BigInt(known.length) }
  }
  // A pod of which nothing is known is not the reason to shrink: it is taken to use all that it requests.
  const assumed = BigInt(Math.max(100, target))
  return perPod(pods, ratioOf, (name) => (requests.get(name) ?? 0n) * assumed / 100n, current, tolerances)
}

/** By the average usage of the pods. */
export function averageReplicas(pods: MeasuredPods, target: bigint, current: number, tolerances: Tolerances): Proposal {
  const ratioOf = (values: ReadonlyMap<string, bigint>): Ratio => {
    const usage = [...values.values()].reduce((sum, value) => sum + value, 0n) / BigInt(values.size)
    return { ratio: Number(usage) / Number(target), usage }
  }
  return perPod(pods, ratioOf, () => target, current, tolerances)
}

/**
 * The pods that are measured decide on a direction. Then those that are not ready or not measured are counted as if they spoke against it, and what is
 * done is what still holds: nothing where the direction would turn.
 */
function perPod({ values, ready, unready, missing }: MeasuredPods, ratioOf: (values: ReadonlyMap<string, bigint>) => Ratio, assumed: (name: string) => bigint, current: number, tolerances: Tolerances): Proposal {
  if (values.size === 0) throw new Error('did not receive metrics for targeted pods (pods might be unready)')
  const { ratio, ...measured } = ratioOf(values)
  const stay = { replicas: current, ...measured }
  const startsMore = unready.length > 0 && ratio > 1
  if (!startsMore && missing.length === 0) return isWithin(ratio, tolerances) ? stay : { replicas: replicaCount(ratio * ready), ...measured }

  const filled = new Map(values)
  if (ratio !== 1) for (const name of missing) filled.set(name, ratio < 1 ? assumed(name) : 0n)
  if (startsMore) for (const name of unready) filled.set(name, 0n)
  const again = ratioOf(filled).ratio
  if (isWithin(again, tolerances) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return stay
  const replicas = replicaCount(again * filled.size)
  return (again < 1 && replicas > current) || (again > 1 && replicas < current) ? stay : { replicas, ...measured }
}

/** By a value that belongs to all pods together. From zero replicas it takes as many as the value is targets. */
export function valueReplicas(usage: bigint, target: bigint, current: number, readyPods: () => number, tolerances: Tolerances): Proposal {
  const ratio = Number(usage) / Number(target)
  if (current === 0) return { replicas: replicaCount(ratio), usage }
  return { replicas: isWithin(ratio, tolerances) ? current : replicaCount(ratio * readyPods()), usage }
}

/** By a value that is shared out among `current` pods. */
export function sharedValueReplicas(usage: bigint, targetPerPod: bigint, current: number, tolerances: Tolerances): Proposal {
  const ratio = Number(usage) / (Number(targetPerPod) * current)
  const share = current === 0 || usage === maxInt64 ? usage : (usage + BigInt(current) - 1n) / BigInt(current)
  return { replicas: isWithin(ratio, tolerances) ? current : replicaCount(Number(usage) / Number(targetPerPod)), usage: share }
}

/** The sum of an external metric's values, at most what 64 bits hold. */
export function sumOfValues(values: readonly bigint[]): bigint {
  const sum = values.reduce((total, value) => total + value, 0n)
  return sum > maxInt64 ? maxInt64 : sum
}
