import type { EndpointAddress, EndpointPort, Endpoints, EndpointSubset, Pod, Service } from '@berth/api/types/core/v1'
import { canonicalJson } from '../common/hash.ts'
import { isPodReady, isPodTerminal } from '../common/pods.ts'
import { addressTypes, endpointPorts } from '../endpointslice/endpoints.ts'

/** The most addresses that one Endpoints object holds. */
export const capacity = 1000
export const overCapacity = 'endpoints.kubernetes.io/over-capacity'
const headless = 'service.kubernetes.io/headless'
const managedBy = 'endpoints.kubernetes.io/managed-by'

/** The subsets of a Service's Endpoints, given its pods: addresses with the same ports together, in a stable order. */
export function subsetsOf(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const all = service.spec.publishNotReadyAddresses === true
  const groups = new Map<string, EndpointSubset & { addresses: EndpointAddress[]; notReadyAddresses: EndpointAddress[] }>()
  for (const pod of pods) {
    if (isPodTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !all)) continue
    const address = addressOf(service, pod)
    if (address === undefined) continue
    const ports = endpointPorts(service, pod).map(({ name, port = 0, protocol, appProtocol }): EndpointPort => ({
      ...(name === undefined || name === '' ? {} : { name }), port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }),
    })).toSorted((a, b) => compare(canonicalJson(a), canonicalJson(b)))
    // A Service without ports has addresses only where it is headless; one whose ports this pod has none of, none.
    if (ports.length === 0 && !(service.spec.clusterIP === 'None' && (service.spec.ports ?? []).length === 0)) continue
    const key = canonicalJson(ports)
    const group = groups.get(key) ?? { addresses: [], notReadyAddresses: [], ports }
    groups.set(key, group);
    (all || isPodReady(pod) ? group.addresses : group.notReadyAddresses).push(address)
  }
  return [...groups].toSorted(([a], [b]) => compare(a, b)).map(([, { addresses, notReadyAddresses, ports = [] }]) => ({
    ...(addresses.length === 0 ? {} : { addresses: addresses.toSorted(byAddress) }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses: notReadyAddresses.toSorted(byAddress) }),
    ...(ports.length === 0 ? {} : { ports }),
  }))
}

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0
const byAddress = (a: EndpointAddress, b: EndpointAddress): number => compare(a.ip, b.ip) || compare(a.targetRef?.uid ?? '', b.targetRef?.uid ?? '')

function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const [family] = addressTypes(service)
  const ips = (pod.status?.podIPs ?? []).length > 0 ? pod.status?.podIPs?.map(({ ip }) => ip) ?? [] : [pod.status?.podIP ?? '']
  const ip = ips.find((each) => each !== '' && (each.includes(':') ? 'IPv6' : 'IPv4') === family)
  if (ip === undefined) return undefined
  const { namespace, name, uid } = pod.metadata
  const { hostname = '', subdomain, nodeName = '' } = pod.spec
  return {
    ip, ...(nodeName === '' ? {} : { nodeName }), targetRef: { kind: 'Pod', namespace, name, uid },
    ...(hostname !== '' && subdomain === service.metadata.name ? { hostname } : {}),
  }
}

/** At most `capacity` addresses, ready ones before others, each subset its share; and whether some were left out. */
export function truncate(subsets: readonly EndpointSubset[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const total = (list: 'addresses' | 'notReadyAddresses'): number => subsets.reduce((sum, subset) => sum + (subset[list]?.length ?? 0), 0)
  const [ready, others] = [total('addresses'), total('notReadyAddresses')]
  if (ready + others <= capacity) return { subsets: [...subsets], truncated: false }
  const rooms = { addresses: Math.min(ready, capacity), notReadyAddresses: Math.max(0, capacity - ready) }
  const shares = { addresses: rooms.addresses / Math.max(1, ready), notReadyAddresses: rooms.notReadyAddresses / Math.max(1, others) }
  const cut = (subset: EndpointSubset, list: 'addresses' | 'notReadyAddresses'): Partial<EndpointSubset> => {
    const known = subset[list] ?? []
    const kept = known.slice(0, Math.min(rooms[list], Math.ceil(shares[list] * known.length)))
    rooms[list] -= kept.length
    return kept.length === 0 ? {} : { [list]: kept }
  }
  const cuts = subsets.map((subset) => ({ ...cut(subset, 'addresses'), ...cut(subset, 'notReadyAddresses'), ...(subset.ports === undefined ? {} : { ports: subset.ports }) }))
  return { subsets: cuts.filter((subset) => 'addresses' in subset || 'notReadyAddresses' in subset), truncated: true }
}

/** The Endpoints that a Service should have; undefined where `known` is right already. */
export function planEndpoints(service: Service, pods: readonly Pod[], known: Endpoints | undefined): Endpoints | undefined {
  const { subsets, truncated } = truncate(subsetsOf(service, pods))
  const { [headless]: _headless, ...own } = service.metadata.labels ?? {}
  const noIp = service.spec.clusterIP === 'None' || (service.spec.clusterIP ?? '') === ''
  const labels = { ...own, [managedBy]: 'endpoint-controller', ...(noIp ? { [headless]: '' } : {}) }
  const { [overCapacity]: _over, ...others } = known?.metadata.annotations ?? {}
  const annotations = truncated ? { ...others, [overCapacity]: 'truncated' } : others
  const { name, namespace } = service.metadata
  const facts = (object: Endpoints): string => canonicalJson([object.subsets ?? [], object.metadata.labels ?? {}, object.metadata.annotations ?? {}])
  const wanted: Endpoints = {
    apiVersion: 'v1', kind: 'Endpoints', metadata: { ...(known?.metadata ?? { name, namespace }), labels, ...(Object.keys(annotations).length === 0 ? { annotations: undefined } : { annotations }) },
    ...(subsets.length === 0 ? {} : { subsets }),
  }
  return known !== undefined && facts(known) === facts(wanted) ? undefined : wanted
}
