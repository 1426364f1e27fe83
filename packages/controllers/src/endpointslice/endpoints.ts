import type { Node, Pod, Service, ServicePort } from '@berth/api/types/core/v1'
import type { Endpoint, EndpointHints, EndpointPort } from '@berth/api/types/discovery/v1'
import { canonicalJson } from '../common/hash.ts'
import { isPodReady, isPodTerminal } from '../common/pods.ts'

/** The endpoints of a Service that have the same ports and address family: what one group of slices holds. */
export interface EndpointGroup {
  addressType: 'IPv4' | 'IPv6'
  ports: EndpointPort[]
  endpoints: Endpoint[]
}

/** Pods that cannot be told yet, because their node is not known. */
export interface DesiredEndpoints {
  groups: Map<string, EndpointGroup>
  skipped: { pod: Pod; node: string }[]
}

/** What a Service's slices should hold, given its pods (already selected) and the nodes. */
export function desiredEndpoints(service: Service, pods: readonly Pod[], nodeOf: (name: string) => Node | undefined): DesiredEndpoints {
  const desired: DesiredEndpoints = { groups: new Map(), skipped: [] }
  for (const addressType of addressTypes(service)) {
    for (const pod of pods) {
      if (!belongsInEndpoints(pod)) continue
      const addresses = podAddresses(pod, addressType)
      if (addresses.length === 0) continue
      const nodeName = pod.spec.nodeName ?? ''
      const node = nodeName === '' ? undefined : nodeOf(nodeName)
      if (nodeName !== '' && node === undefined && service.spec.publishNotReadyAddresses !== true) {
        desired.skipped.push({ pod, node: nodeName })
        continue
      }
      const ports = endpointPorts(service, pod)
      const key = groupKey(addressType, ports)
      const group = desired.groups.get(key) ?? { addressType, ports, endpoints: [] }
      group.endpoints.push(endpointOf(service, pod, addresses, node))
      desired.groups.set(key, group)
    }
  }
  return desired
}

export function zoneOf(node: Node): string | undefined {
  return node.metadata.labels?.['topology.kubernetes.io/zone']
}

export function addressTypes(service: Service): ('IPv4' | 'IPv6')[] {
  const families = (service.spec.ipFamilies ?? []).filter((family) => family === 'IPv4' || family === 'IPv6')
  if (families.length > 0) return families
  return [(service.spec.clusterIP ?? '').includes(':') ? 'IPv6' : 'IPv4']
}

/** The same for groups with the same ports, whatever their order. */
export function groupKey(addressType: string, ports: readonly EndpointPort[]): string {
  return `${addressType} ${ports.map((port) => canonicalJson({ ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' })).toSorted().join(' ')}`
}

function belongsInEndpoints(pod: Pod): boolean {
  return !isPodTerminal(pod) && ((pod.status?.podIP ?? '') !== '' || (pod.status?.podIPs ?? []).length > 0)
}

function podAddresses(pod: Pod, addressType: 'IPv4' | 'IPv6'): string[] {
  const all = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? '']
  return all.filter((ip) => ip !== '' && (ip.includes(':') ? 'IPv6' : 'IPv4') === addressType)
}

function endpointOf(service: Service, pod: Pod, addresses: string[], node: Node | undefined): Endpoint {
  const serving = isPodReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating)
  const zone = node && zoneOf(node)
  const hostname = pod.spec.hostname !== undefined && pod.spec.hostname !== '' && pod.spec.subdomain === service.metadata.name ? pod.spec.hostname : undefined
  const nodeName = pod.spec.nodeName === '' ? undefined : pod.spec.nodeName
  const hints = ready ? hintsOf(service, nodeName, zone) : undefined
  const { namespace, name, uid } = pod.metadata
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...(hints === undefined ? {} : { hints }),
  }
}

/** Whose traffic an endpoint is to get first, as spec.trafficDistribution asks: that of its zone, or of its node and then of its zone. */
function hintsOf({ metadata: { annotations }, spec: { trafficDistribution = '' } }: Service, node: string | undefined, zone: string | undefined): EndpointHints | undefined {
  // Topology Aware Routing comes first; its hints, by shares of the zones' CPUs, are not made here.
  const isAuto = /^[aA]uto$/.test(annotations?.['service.kubernetes.io/topology-mode'] ?? annotations?.['service.kubernetes.io/topology-aware-hints'] ?? '')
  if (isAuto || !['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(trafficDistribution)) return undefined
  const hints: EndpointHints = {
    ...(zone === undefined ? {} : { forZones: [{ name: zone }] }), ...(node === undefined || trafficDistribution !== 'PreferSameNode' ? {} : { forNodes: [{ name: node }] }),
  }
  return Object.keys(hints).length === 0 ? undefined : hints
}

/** The Service's ports as this pod has them; a named target port that the pod does not have is left out. */
export function endpointPorts(service: Service, pod: Pod): EndpointPort[] {
  const ports: EndpointPort[] = []
  for (const port of service.spec.ports ?? []) {
    const number = targetPort(pod, port)
    if (number === undefined) continue
    ports.push({ name: port.name ?? '', port: number, protocol: port.protocol ?? 'TCP', ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) })
  }
  return ports
}

function targetPort(pod: Pod, { targetPort: target, port, protocol = 'TCP' }: ServicePort): number | undefined {
  if (typeof target === 'number') return target === 0 ? port : target
  if (target === undefined || target === '') return port
  const sidecars = (pod.spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = container.ports?.find((candidate) => candidate.name === target && (candidate.protocol ?? 'TCP') === protocol)
    if (found !== undefined) return found.containerPort
  }
  return undefined
}
