import type { Endpoint, EndpointPort, EndpointSlice } from '@berth/api/types/discovery/v1'
import type { Protocol } from '@berth/api/types/core/v1'

/** One address and port that a service port may lead to. */
export interface EndpointFacts {
  /** `10.244.1.5 . 8080`, as nft writes it. */
  target: string
  address: string
  local: boolean
  ready: boolean
  serving: boolean
  terminating: boolean
  zones: string[]
  nodes: string[]
}

/** Where this node is, for locality. */
export interface Place {
  nodeName: string
  zone: string | undefined
}

/** The endpoints of a service's port out of its slices (IPv4; others are passed over). The same target in several slices counts once, and a ready one wins. */
export function endpointsOf(slices: readonly EndpointSlice[], portName: string, protocol: Protocol, place: Place): EndpointFacts[] {
  const found = new Map<string, EndpointFacts>()
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue
    const port = slice.ports?.find((candidate) => matches(candidate, portName, protocol))?.port
    if (port === undefined) continue
    for (const endpoint of slice.endpoints ?? []) {
      const facts = factsOf(endpoint, port, place)
      if (facts && !(found.get(facts.target)?.ready === true && !facts.ready)) found.set(facts.target, facts)
    }
  }
  return [...found.values()].toSorted((a, b) => (a.target < b.target ? -1 : 1))
}

function matches(port: EndpointPort, name: string, protocol: Protocol): boolean {
  return (port.name ?? '') === name && (port.protocol ?? 'TCP') === protocol
}

function factsOf(endpoint: Endpoint, port: number, place: Place): EndpointFacts | undefined {
  const address = endpoint.addresses?.[0]
  if (!address) return undefined
  const ready = endpoint.conditions?.ready ?? true
  return {
    target: `${address} . ${port}`,
    address,
    local: endpoint.nodeName === place.nodeName,
    ready,
    serving: endpoint.conditions?.serving ?? ready,
    terminating: endpoint.conditions?.terminating ?? false,
    zones: endpoint.hints?.forZones?.map((zone) => zone.name) ?? [],
    nodes: endpoint.hints?.forNodes?.map((node) => node.name) ?? [],
  }
}

/** Those that traffic goes to under the Cluster policy: the ready ones (near ones where hints say so), else those that still serve while they terminate. */
export function clusterEndpoints(all: readonly EndpointFacts[], place: Place): EndpointFacts[] {
  const ready = all.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? near(ready, place) : all.filter(fallback)
}

/** Those under the Local policy: on this node, ready, else still serving while they terminate. */
export function localEndpoints(all: readonly EndpointFacts[]): EndpointFacts[] {
  const local = all.filter((endpoint) => endpoint.local)
  const ready = local.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? ready : local.filter(fallback)
}

function fallback(endpoint: EndpointFacts): boolean {
  return endpoint.serving && endpoint.terminating
}

// Hints count only if every endpoint has one and one of them is for us: otherwise traffic would be lost or unfair.
function near(ready: EndpointFacts[], place: Place): EndpointFacts[] {
  if (ready.every((endpoint) => endpoint.nodes.length > 0)) {
    const here = ready.filter((endpoint) => endpoint.nodes.includes(place.nodeName))
    if (here.length > 0) return here
  }
  const { zone } = place
  if (zone !== undefined && ready.every((endpoint) => endpoint.zones.length > 0)) {
    const here = ready.filter((endpoint) => endpoint.zones.includes(zone))
    if (here.length > 0) return here
  }
  return ready
}
