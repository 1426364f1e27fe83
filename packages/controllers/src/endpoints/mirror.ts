import { core } from '@berth/api'
import type { EndpointAddress, Endpoints, EndpointSubset, Service } from '@berth/api/types/core/v1'
import type { Endpoint, EndpointPort, EndpointSlice } from '@berth/api/types/discovery/v1'
import ipaddr from 'ipaddr.js'
import { canonicalJson } from '../common/hash.ts'
import { controllerReference } from '../common/owners.ts'
import { groupKey } from '../endpointslice/endpoints.ts'
import { managedByLabel, serviceNameLabel } from '../endpointslice/plan.ts'

export const mirroredBy = 'endpointslicemirroring-controller.k8s.io'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const notMirrored = new Set(['kubectl.kubernetes.io/last-applied-configuration', 'endpoints.kubernetes.io/last-change-trigger-time'])

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
  /** Addresses that are none. */
  invalid: number
  /** Addresses that are not mirrored: those, and those beyond the most. */
  skipped: number
}

/** The writes that bring the mirrored slices to what the Endpoints say: one slice for each family and set of ports, of `most` addresses a set of ports. */
export function planMirror(endpoints: Endpoints, existing: readonly EndpointSlice[], most: number): MirrorPlan {
  const { slices, invalid, skipped } = slicesOf(endpoints, most)
  const plan: MirrorPlan = { create: [], update: [], delete: [], invalid, skipped }
  const left = [...existing]
  for (const wanted of slices) {
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

/** Addresses of all subsets with the same ports. */
interface Ported {
  readonly ports: EndpointPort[]
  readonly addresses: { readonly address: EndpointAddress; readonly ready: boolean }[]
}

function byPorts(subsets: readonly EndpointSubset[]): Ported[] {
  const found = new Map<string, Ported>()
  for (const { addresses = [], notReadyAddresses = [], ports: given = [] } of subsets) {
    const ports = given.map((port): EndpointPort => ({ name: port.name ?? '', port: port.port, protocol: port.protocol ?? 'TCP', ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) }))
    const group = found.get(groupKey('', ports)) ?? { ports, addresses: [] }
    found.set(groupKey('', ports), group)
    group.addresses.push(...addresses.map((address) => ({ address, ready: true })), ...notReadyAddresses.map((address) => ({ address, ready: false })))
  }
  return [...found.values()]
}

function slicesOf(owner: Endpoints, most: number): { slices: EndpointSlice[]; invalid: number; skipped: number } {
  const slices = new Map<string, EndpointSlice>()
  let [invalid, skipped] = [0, 0]
  for (const { ports, addresses } of byPorts(owner.subsets ?? [])) {
    let taken = 0
    for (const { address, ready } of addresses) {
      if (taken === most) break
      if (!ipaddr.isValid(address.ip)) {
        invalid += 1
        continue
      }
      const ip = ipaddr.parse(address.ip)
      const addressType = ip.kind() === 'ipv4' ? 'IPv4' : 'IPv6'
      const slice = slices.get(groupKey(addressType, ports)) ?? newSlice(owner, addressType, ports)
      slices.set(groupKey(addressType, ports), slice)
      slice.endpoints = [...slice.endpoints ?? [], endpointOf({ ...address, ip: ip.toString() }, ready)]
      taken += 1
    }
    skipped += addresses.length - taken
  }
  return { slices: [...slices.values()], invalid, skipped }
}

function newSlice(owner: Endpoints, addressType: string, ports: EndpointPort[]): EndpointSlice {
  const { name, namespace, labels, annotations = {} } = owner.metadata
  const kept = Object.entries(annotations).filter(([key]) => !notMirrored.has(key))
  return {
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType, ports, endpoints: [],
    metadata: {
      name: '', generateName: `${name}-`, namespace, labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirroredBy },
      ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }), ownerReferences: [controllerReference(owner, core.endpoints)],
    },
  }
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return { addresses: [ip], conditions: { ready }, ...(hostname === undefined ? {} : { hostname }), ...(nodeName === undefined ? {} : { nodeName }), ...(targetRef === undefined ? {} : { targetRef }) }
}
