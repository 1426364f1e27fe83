import type { Service, ServiceSpec } from '@berth/api/types/core/v1'

/** A Service's spec with what allocation reads spelled out. */
export type Spec = ServiceSpec

export const typeOf = (spec: Spec): string => spec.type ?? 'ClusterIP'

/** Services that have addresses of their own (or "None"). */
export const needsClusterIp = (spec: Spec): boolean => typeOf(spec) !== 'ExternalName'

/** Services whose ports also get a port on every node. */
export const needsNodePort = (spec: Spec): boolean => typeOf(spec) === 'NodePort' || typeOf(spec) === 'LoadBalancer'

/** Whether ports without a node port are given one: a load balancer may do without. */
export const allocatesNodePorts = (spec: Spec): boolean => typeOf(spec) === 'NodePort' || (typeOf(spec) === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)

/** Services that load balancers check node by node. */
export const needsHealthCheckPort = (spec: Spec): boolean => typeOf(spec) === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

export const isHeadless = (spec: Spec): boolean => spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None'

/** The addresses, without "None". */
export const addressesOf = (spec: Spec | undefined): string[] => (spec?.clusterIPs ?? []).filter((ip) => ip !== '' && ip !== 'None')

/** The node ports, each once. */
export const nodePortsOf = (spec: Spec | undefined): number[] => [...new Set((spec?.ports ?? []).map((p) => p.nodePort ?? 0).filter((p) => p > 0))]

export const sameValues = (a: readonly unknown[] | undefined, b: readonly unknown[] | undefined): boolean => (a?.length ?? 0) === (b?.length ?? 0) && (a ?? []).every((v, i) => v === b?.[i])

export type { Service }
