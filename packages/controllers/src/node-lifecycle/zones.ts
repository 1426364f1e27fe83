import type { Node } from '@berth/api/types/core/v1'
import { readyOf } from './health.ts'

/** Upstream's defaults: `--unhealthy-zone-threshold`, `--large-cluster-size-threshold`, `--node-eviction-rate`, `--secondary-node-eviction-rate`. */
const unhealthyThreshold = 0.55
const largeCluster = 50
const evictionRate = 0.1
const secondaryRate = 0.01

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

/** The zone of a node, as upstream keys it. */
export function zoneOf(node: Node): string {
  const labels = node.metadata.labels ?? {}
  const region = labels['topology.kubernetes.io/region'] ?? ''
  const zone = labels['topology.kubernetes.io/zone'] ?? ''
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`
}

/** How much of a zone is down. Where few nodes fail, it is them; where most do, it is more likely the network. */
export function zoneState(nodes: readonly Node[]): ZoneState {
  const ready = nodes.filter((node) => readyOf(node)?.status === 'True').length
  const notReady = nodes.length - ready
  if (ready === 0 && notReady > 0) return 'FullDisruption'
  return notReady > 2 && notReady / nodes.length >= unhealthyThreshold ? 'PartialDisruption' : 'Normal'
}

/** Nodes a second that may be given up (NoExecute) in a zone; zero holds evictions back. */
export function evictionsPerSecond(state: ZoneState, size: number, everywhereDown: boolean): number {
  if (everywhereDown) return 0
  if (state === 'PartialDisruption') return size > largeCluster ? secondaryRate : 0
  return evictionRate
}
