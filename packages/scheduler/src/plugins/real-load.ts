import { defineResource } from '@berth/api'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import { parseDuration, type Clock } from '@berth/kube'
import { amountsOf } from '@berth/pod-rules'
import { maxNodeScore } from '../framework/normalize.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip } from '../framework/status.ts'

/** RealLoadArgs. Durations as Go writes them. */
export interface RealLoadArgs {
  /** How often metrics.k8s.io is asked; 15s. */
  readonly pollInterval?: string
  /** How old a measurement may be; 90s. An older one says nothing. */
  readonly maxAge?: string
  /** What is looked at, and how much each counts; cpu and memory alike. */
  readonly resources?: ReadonlyArray<{ readonly name: 'cpu' | 'memory'; readonly weight: number }>
}

/** NodeMetrics of metrics.k8s.io/v1beta1: what a node really used over `window` until `timestamp`. */
export interface NodeMetrics {
  readonly metadata: ObjectMeta
  readonly timestamp: string
  readonly window: string
  readonly usage: Readonly<Record<string, string>>
}

export const nodeMetrics = defineResource<NodeMetrics>({
  group: 'metrics.k8s.io', version: 'v1beta1', resource: 'nodes', singular: '', kind: 'NodeMetrics', namespaced: false,
  verbs: ['get', 'list'], shortNames: [], categories: [], subresources: [],
})

export const defaultPollInterval = '15s'
const defaultMaxAge = '90s'
const key = 'RealLoad'
/** Stands for "not known" until the other nodes' scores are. */
const unknown = -1

/** Whether the measurement cannot have seen the pod: it started later, or has not started. */
function isNewerThan({ pod }: PodInfo, measured: number): boolean {
  const started = pod.status?.startTime
  return started === undefined || Date.parse(started) > measured
}

/**
 * Prefers nodes that are really idle, whatever was requested on them: the free share by metrics.k8s.io, less what pods
 * ask for that came after the measurement, so that a burst does not pile up on the node that was idle before it. A node
 * without a fresh measurement is neutral: it gets the others' average.
 */
export function realLoad(args: RealLoadArgs | undefined, clock: Pick<Clock, 'now'>): Plugin {
  const maxAgeMs = parseDuration(args?.maxAge ?? defaultMaxAge)
  const resources = args?.resources?.length ? args.resources : [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }] as const
  const weights = resources.reduce((sum, { weight }) => sum + weight, 0)
  const scoreOf = (metrics: NodeMetrics | undefined, node: NodeInfo): number => {
    const measured = metrics ? Date.parse(metrics.timestamp) : Number.NaN
    if (!metrics || !(clock.now() - measured <= maxAgeMs)) return unknown
    const usage = amountsOf(metrics.usage)
    let sum = 0
    for (const { name, weight } of resources) {
      let used = usage[name] ?? 0
      for (const pod of node.pods.values()) if (isNewerThan(pod, measured)) used += pod.requests.get(name)
      const allocatable = node.allocatable.get(name)
      if (allocatable > used) sum += (weight * (allocatable - used) * maxNodeScore) / allocatable
    }
    return Math.trunc(sum / weights)
  }
  return {
    name: 'RealLoad',
    // It depends on time: nothing of it is kept.
    preScore(state, _pod, _nodes, snapshot: Snapshot) {
      const metrics = snapshot.objects(nodeMetrics)
      if (metrics.size === 0) return skip
      state.write(key, metrics)
      return undefined
    },
    score: (state, _pod, node) => scoreOf(state.read<ReadonlyMap<string, NodeMetrics>>(key)?.get(node.name), node),
    normalize(_state, _pod, scores) {
      const fresh = scores.filter((score) => score !== unknown)
      const average = fresh.length === 0 ? 0 : Math.trunc(fresh.reduce((sum, score) => sum + score, 0) / fresh.length)
      for (const [i, score] of scores.entries()) if (score === unknown) scores[i] = average
    },
  }
}
