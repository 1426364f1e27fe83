import type { NodeInfo } from '../../framework/node-info.ts'

/** The label that names a node's rack: a level between its host and its zone. */
export const rackLabel = 'berth.dev/rack'
const zoneLabel = 'topology.kubernetes.io/zone'

/** A node's rack; racks of the same name in two zones are two. Undefined for a node that stands in none. */
export function rackOf({ labels }: NodeInfo): string | undefined {
  const rack = labels[rackLabel]
  return rack ? `${labels[zoneLabel] ?? ''}/${rack}` : undefined
}

/** A node's zone; all nodes without one are in the same. */
export function zoneOf({ labels }: NodeInfo): string {
  return labels[zoneLabel] ?? ''
}
