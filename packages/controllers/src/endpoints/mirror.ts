import { core } from '@berth/api'
import type { EndpointAddress, Endpoints, Service } from '@berth/api/types/core/v1'
import type { Endpoint, EndpointPort, EndpointSlice } from '@berth/api/types/discovery/v1'
import { canonicalJson } from '../common/hash.ts'
import { controllerReference } from '../common/owners.ts'
import { groupKey } from '../endpointslice/endpoints.ts'
import { managedByLabel, serviceNameLabel } from '../endpointslice/plan.ts'

export const mirroredBy = 'endpointslicemirroring-controller.k8s.io'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const notMirrored = new Set(['kubectl.kubernetes.io/last-applied-configuration', 'endpoints.kubernetes.io/last-change-trigger-time'])
/** The most addresses of a subset that are mirrored. */
const capacity = 1000

/** Whether Endpoints that somebody keeps by hand are to be mirrored: those of a Service without a selector. */
export function isMirrored(endpoints: Endpoints | undefined, service: Service | undefined): boolean {
  if (endpoints === undefined || service === undefined || endpoints.metadata.deletionTimestamp !== undefined) return false
  if (endpoints.metadata.labels?.[skipLabel] === 'true' || endpoints.metadata.annotations?.[leaderAnnotation] !== undefined) return false
  return Object.keys(service.spec.selector ?? {}).length === 0 && service.spec.type !== 'ExternalName'
}

export interface MirrorPlan {
  create: EndpointSlice[]
  update: EndpointSlice[]
  delete: EndpointSlice[]
}

/** The writes that bring the mirrored slices to what the Endpoints say: one slice for each family and set of ports. */
export function planMirror(endpoints: Endpoints, existing: readonly EndpointSlice[]): MirrorPlan {
  const plan: MirrorPlan = { create: [], update: [], delete: [] }
  const left = [...existing]
  for (const wanted of slicesOf(endpoints)) {
    const at = left.findIndex((slice) => keyOfSlice(slice) === keyOfSlice(wanted))
    const [known] = at < 0 ? [] : left.splice(at, 1)
    if (known === undefined) plan.create.push(wanted)
    else {
      const next = { ...known, ...wanted, metadata: { ...known.metadata, labels: wanted.metadata.labels, annotations: wanted.metadata.annotations } }
      if (facts(known) !== facts(next)) plan.update.push(next)
    }
  }
  plan.delete.push(...left)
  return plan
}

const keyOfSlice = (slice: EndpointSlice): string => groupKey(slice.addressType, slice.ports ?? [])
const facts = ({ metadata, endpoints, ports }: EndpointSlice): string => canonicalJson([metadata.labels ?? {}, metadata.annotations ?? {}, endpoints, ports ?? []])

function slicesOf(owner: Endpoints): EndpointSlice[] {
  const { name, namespace, labels, annotations = {} } = owner.metadata
  const groups = new Map<string, EndpointSlice>()
  for (const { addresses = [], notReadyAddresses = [], ports: given = [] } of owner.subsets ?? []) {
    const ports = given.map((port): EndpointPort => ({ name: port.name ?? '', port: port.port, protocol: port.protocol ?? 'TCP', ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) }))
    const all = [...addresses.map((each) => endpointOf(each, true)), ...notReadyAddresses.map((each) => endpointOf(each, false))].slice(0, capacity)
    for (const endpoint of all) {
      const addressType = endpoint.addresses[0]?.includes(':') === true ? 'IPv6' : 'IPv4'
      const kept = Object.entries(annotations).filter(([key]) => !notMirrored.has(key))
      const slice: EndpointSlice = groups.get(groupKey(addressType, ports)) ?? {
        apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType, ports, endpoints: [],
        metadata: {
          name: '', generateName: `${name}-`, namespace, labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirroredBy },
          ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }), ownerReferences: [controllerReference(owner, core.endpoints)],
        },
      }
      groups.set(groupKey(addressType, ports), slice)
      slice.endpoints = [...slice.endpoints ?? [], endpoint]
    }
  }
  return [...groups.values()]
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return { addresses: [ip], conditions: { ready }, ...(hostname === undefined ? {} : { hostname }), ...(nodeName === undefined ? {} : { nodeName }), ...(targetRef === undefined ? {} : { targetRef }) }
}
