import type { NodeInfo } from '../../framework/node-info.ts'

/** The label that names a node's rack: a level between its host and its zone. */
const rackLabel = 'berth.dev/rack'
const zoneLabel = 'topology.kubernetes.io/zone'

interface Place { readonly rack: string | undefined; readonly zone: string }

const places = new WeakMap<Readonly<Record<string, string>>, Place>()

function placeOf({ labels }: NodeInfo): Place {
  const before = places.get(labels)
  if (before) return before
  const zone = labels[zoneLabel] ?? ''
  const rack = labels[rackLabel]
  const place = { zone, rack: rack ? `${zone}/${rack}` : undefined }
  places.set(labels, place)
  return place
}

/** A node's rack; racks of the same name in two zones are two. Undefined for a node that stands in none. */
export function rackOf(node: NodeInfo): string | undefined {
  return placeOf(node).rack
}

/** A node's zone; all nodes without one are in the same. */
export function zoneOf(node: NodeInfo): string {
  return placeOf(node).zone
}
