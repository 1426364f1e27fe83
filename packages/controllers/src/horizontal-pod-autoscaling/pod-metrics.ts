import type { Pod } from '@berth/api/types/core/v1'
import { podCondition } from '../common/pods.ts'

/** What was measured of one pod; `value` is in thousandths of the metric's unit, times are in milliseconds. */
export interface PodMetric {
  readonly value: bigint
  readonly timestamp: number
  readonly windowMs: number
}

/** Measurements by the pods' names. */
export type PodMetrics = ReadonlyMap<string, PodMetric>

/** What decides whether a pod's CPU is believed yet. */
export interface Readiness {
  readonly now: number
  /** After its start a pod's CPU counts only while it is ready and for a whole window of the metric. */
  readonly cpuInitializationPeriodMs: number
  /** A pod that lost its readiness within this time of its start has never been ready. */
  readonly initialReadinessDelayMs: number
}

/** Pods by how their measurements count. */
export interface MeasuredPods {
  readonly ready: number
  /** Not yet ready: their measurements are not believed. */
  readonly unready: readonly string[]
  /** Nothing was measured of them. */
  readonly missing: readonly string[]
  /** What is believed, by name; measurements of pods that are not in the list stay. */
  readonly values: ReadonlyMap<string, bigint>
}

/** Sorts pods by how much their measurements can be trusted. Readiness is asked for CPU alone, which a starting pod burns without serving. */
export function measuredPods(pods: readonly Pod[], metrics: PodMetrics, resource: string, readiness: Readiness): MeasuredPods {
  const values = new Map([...metrics].map(([name, { value }]) => [name, value]))
  const unready: string[] = []
  const missing: string[] = []
  let ready = 0
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    if (deletionTimestamp !== undefined || pod.status?.phase === 'Failed') {
      values.delete(name)
      continue
    }
    const metric = metrics.get(name)
    if (pod.status?.phase === 'Pending' || (metric !== undefined && resource === 'cpu' && !isBelieved(pod, metric, readiness))) {
      unready.push(name)
      values.delete(name)
    } else if (metric === undefined) missing.push(name)
    else ready += 1
  }
  return { ready, unready, missing, values }
}

function isBelieved(pod: Pod, metric: PodMetric, { now, cpuInitializationPeriodMs, initialReadinessDelayMs }: Readiness): boolean {
  const condition = podCondition(pod, 'Ready')
  const startTime = pod.status?.startTime
  if (condition === undefined || startTime === undefined) return false
  const started = Date.parse(startTime)
  const changed = condition.lastTransitionTime === undefined ? 0 : Date.parse(condition.lastTransitionTime)
  const isUnready = condition.status === 'False'
  if (started + cpuInitializationPeriodMs > now) return !isUnready && metric.timestamp >= changed + metric.windowMs
  return !(isUnready && started + initialReadinessDelayMs > changed)
}
