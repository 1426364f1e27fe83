import type { Node } from '@berth/api/types/core/v1'
import type { ControllerSettings } from '../config.ts'
import { readyOf } from './health.ts'

/** What of the settings decides how fast nodes are given up. */
export type ZoneSettings = Pick<ControllerSettings, 'nodeEvictionRate' | 'secondaryNodeEvictionRate' | 'largeClusterSizeThreshold' | 'unhealthyZoneThreshold'>

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

/** The zone of a node, as upstream keys it. */
export function zoneOf(node: Node): string {
  const labels = node.metadata.labels ?? {}
  const region = labels['topology.kubernetes.io/region'] ?? ''
  const zone = labels['topology.kubernetes.io/zone'] ?? ''
  return region === '' && zone === '' ? '' : `${region}:\0:${zone}`
}

/** How much of a zone is down. Where few nodes fail, it is them; where most do, it is more likely the network. */
export function zoneState(nodes: readonly Node[], { unhealthyZoneThreshold }: ZoneSettings): ZoneState {
  const ready = nodes.filter((node) => readyOf(node)?.status === 'True').length
  const notReady = nodes.length - ready
  if (ready === 0 && notReady > 0) return 'FullDisruption'
  return notReady > 2 && notReady / nodes.length >= unhealthyZoneThreshold ? 'PartialDisruption' : 'Normal'
}

/** Nodes a second that may be given up (NoExecute) in a zone; zero holds evictions back. */
export function evictionsPerSecond(state: ZoneState, size: number, everywhereDown: boolean, { nodeEvictionRate, secondaryNodeEvictionRate, largeClusterSizeThreshold }: ZoneSettings): number {
  if (everywhereDown) return 0
  if (state === 'PartialDisruption') return size > largeClusterSizeThreshold ? secondaryNodeEvictionRate : 0
  return nodeEvictionRate
}
