import type { Service, ServicePort } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { clusterEndpoints, type EndpointFacts, endpointsOf, localEndpoints, type Place } from './endpoints.ts'
import { isIpv4, mergeRanges } from './addresses.ts'

/** Whose traffic to an address is masqueraded: that from outside of the cluster's pods, all of it, or none. */
export type Masquerade = 'outside' | 'always' | 'never'

/**
 * One address, protocol and port that clients connect to, and where it leads. Cluster IPs, node ports, external and load balancer IPs are all frontends: what
 * differs is their address and policy.
 */
export interface Frontend {
  /** `10.96.0.10 . udp . 53`: the key in every map. */
  key: string
  masquerade: Masquerade
  /** Seconds that a client sticks to its endpoint; 0: not at all. */
  affinity: number
  endpoints: string[]
  /** Under externalTrafficPolicy Local: where traffic that comes from this node itself and its pods goes instead. */
  inside: string[] | undefined
  /** What happens where there are no endpoints. */
  otherwise: 'reject' | 'drop'
  /** The only sources allowed (loadBalancerSourceRanges); undefined: all. */
  sources: string[] | undefined
}

/** What one service comes to on this node. */
export interface ServiceRules {
  frontends: Frontend[]
  /** Its cluster IPs: ports that no service has are refused on them. */
  clusterIps: string[]
  /** Addresses of its local endpoints: they may reach themselves through the service. */
  hairpins: string[]
  /** For the health check node port: `undefined` where the service has none. */
  health: { port: number; localEndpoints: number } | undefined
  /** Which policies want local endpoints and have none. */
  noLocal: ('internal' | 'external')[]
}

/** What a service needs to know of the node. */
export interface NodePlace extends Place {
  /** Addresses on which node ports answer. */
  nodePortAddresses: readonly string[]
  masqueradeAll: boolean
}

const proxyNameLabel = 'service.kubernetes.io/service-proxy-name'

/** Turns a service and its slices into its rules; undefined for one that is not ours to serve (headless, ExternalName, another proxy's). */
export function rulesOf(service: Service, slices: readonly EndpointSlice[], place: NodePlace): ServiceRules | undefined {
  const spec = service.spec ?? {}
  const clusterIps = (spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? '']).filter(isIpv4)
  if (spec.type === 'ExternalName' || clusterIps.length === 0 || service.metadata.labels?.[proxyNameLabel] !== undefined) return undefined
  const rules: ServiceRules = { frontends: [], clusterIps, hairpins: [], health: undefined, noLocal: [] }
  const hairpins = new Set<string>()
  const localAddresses = new Set<string>()
  for (const port of spec.ports ?? []) {
    const all = endpointsOf(slices, port.name ?? '', port.protocol ?? 'TCP', place)
    const local = localEndpoints(all)
    for (const endpoint of all) if (endpoint.local) hairpins.add(endpoint.address)
    for (const endpoint of local) if (endpoint.ready) localAddresses.add(endpoint.address)
    addFrontends(rules, service, port, { all, local, cluster: clusterEndpoints(all, place) }, place)
  }
  rules.hairpins = [...hairpins].toSorted()
  if (spec.healthCheckNodePort) rules.health = { port: spec.healthCheckNodePort, localEndpoints: localAddresses.size }
  return rules
}

interface Choice {
  all: EndpointFacts[]
  cluster: EndpointFacts[]
  local: EndpointFacts[]
}

function addFrontends(rules: ServiceRules, service: Service, port: ServicePort, choice: Choice, place: NodePlace): void {
  const spec = service.spec ?? {}
  const protocol = (port.protocol ?? 'TCP').toLowerCase()
  const affinity = spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : 0
  const targets = (endpoints: EndpointFacts[]): string[] => endpoints.map((endpoint) => endpoint.target)
  // Nothing anywhere is refused so that clients learn it at once; nothing only here is dropped, since a load balancer tries elsewhere.
  const otherwise = choice.cluster.length === 0 ? 'reject' : 'drop'
  const note = (what: 'internal' | 'external', endpoints: EndpointFacts[]): void => {
    if (endpoints.length === 0 && choice.cluster.length > 0 && !rules.noLocal.includes(what)) rules.noLocal.push(what)
  }

  const internalLocal = spec.internalTrafficPolicy === 'Local'
  const inside = internalLocal ? choice.local : choice.cluster
  if (internalLocal) note('internal', inside)
  const common = { affinity, otherwise, inside: undefined, sources: undefined } as const
  for (const address of rules.clusterIps) {
    rules.frontends.push({ ...common, key: keyOf(address, protocol, port.port), masquerade: place.masqueradeAll ? 'always' : 'outside', endpoints: targets(inside) })
  }

  const externalLocal = spec.externalTrafficPolicy === 'Local'
  const external = externalLocal
    ? { masquerade: 'never' as const, endpoints: targets(choice.local), inside: targets(choice.cluster) }
    : { masquerade: 'always' as const, endpoints: targets(choice.cluster), inside: undefined }
  const outer: Frontend[] = []
  const loadBalancerIps = (service.status?.loadBalancer?.ingress ?? []).filter((ingress) => isIpv4(ingress.ip ?? '') && (ingress.ipMode ?? 'VIP') === 'VIP').map((ingress) => ingress.ip ?? '')
  const sources = spec.loadBalancerSourceRanges?.length ? mergeRanges(spec.loadBalancerSourceRanges) : undefined
  for (const address of (spec.externalIPs ?? []).filter(isIpv4)) outer.push({ ...common, ...external, key: keyOf(address, protocol, port.port) })
  for (const address of loadBalancerIps) outer.push({ ...common, ...external, key: keyOf(address, protocol, port.port), sources })
  if (port.nodePort) for (const address of place.nodePortAddresses) outer.push({ ...common, ...external, key: keyOf(address, protocol, port.nodePort) })
  if (externalLocal && outer.length > 0) note('external', choice.local)
  rules.frontends.push(...outer)
}

function keyOf(address: string, protocol: string, port: number): string {
  return `${address} . ${protocol} . ${port}`
}
