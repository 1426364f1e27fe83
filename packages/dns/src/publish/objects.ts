import type { Service, ServicePort } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'

export const namespace = 'kube-system'
export const serviceName = 'kube-dns'

/** Who keeps our slices: the EndpointSlice controller leaves those of others alone. */
const manager = 'berth-dns'

const ports = [
  { name: 'dns', port: 53, protocol: 'UDP' as const },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' as const },
]

/** The Service that pods ask: without selector, and each node's traffic goes to the node's own server. */
export function dnsService(clusterIP: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: serviceName, namespace,
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
    },
    spec: { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP], internalTrafficPolicy: 'Local', ports: ports.map((port) => ({ ...port, targetPort: port.port })) },
  }
}

/** Who keeps the slices of a Service with a selector. */
export const selectorManager = 'endpointslice-controller.k8s.io'

/** A Service as it is, corrected: no selector, our ports, each node's traffic to its own server. undefined: nothing is to be corrected. What cannot be changed stays. */
export function correctedService(found: Service, clusterIP: string): Service | undefined {
  const { ports: wantedPorts, internalTrafficPolicy } = dnsService(clusterIP).spec ?? {}
  const spec = { ...found.spec }
  const external = spec.type === 'ExternalName'
  const selects = Object.keys(spec.selector ?? {}).length > 0
  if (!external && !selects && spec.internalTrafficPolicy === internalTrafficPolicy && portFacts(spec.ports) === portFacts(wantedPorts)) return undefined
  delete spec.selector
  delete spec.externalName
  return { ...found, spec: { ...spec, ports: wantedPorts, internalTrafficPolicy, ...(external ? { type: 'ClusterIP', clusterIP, clusterIPs: [clusterIP] } : {}) } }
}

function portFacts(list: ServicePort[] = []): string {
  return JSON.stringify(list.map(({ name, port, protocol = 'TCP', targetPort = port }) => [name, port, protocol, targetPort]))
}

/** This node's endpoint of the Service. It belongs to the Node (where its uid is known): with that it goes. */
export function dnsSlice(node: { name: string; uid: string | undefined }, address: string, port: number, ready: boolean): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: sliceName(node.name), namespace,
      labels: { 'kubernetes.io/service-name': serviceName, 'endpointslice.kubernetes.io/managed-by': manager, 'k8s-app': 'kube-dns' },
      ...(node.uid === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid }] }),
    },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    ports: ports.map((entry) => ({ ...entry, port })),
    endpoints: [{ addresses: [address], nodeName: node.name, conditions: { ready, serving: ready, terminating: false } }],
  }
}

export function sliceName(nodeName: string): string {
  return `${serviceName}-${nodeName}`
}

/** Whether a slice says what ours says, apart from what the server adds. */
export function sameSlice(a: EndpointSlice, b: EndpointSlice): boolean {
  const facts = ({ metadata, addressType, ports: list, endpoints }: EndpointSlice): string =>
    JSON.stringify([
      metadata.labels?.['kubernetes.io/service-name'], metadata.labels?.['endpointslice.kubernetes.io/managed-by'], metadata.ownerReferences?.map((owner) => owner.uid), addressType,
      list?.map((port) => [port.name, port.port, port.protocol]),
      endpoints?.map(({ addresses, nodeName, conditions }) => [addresses, nodeName, conditions?.ready, conditions?.serving, conditions?.terminating]),
    ])
  return facts(a) === facts(b)
}
