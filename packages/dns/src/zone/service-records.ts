import ipaddr from 'ipaddr.js'
import type { Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'

/** What DNS says of a service, taken out of its object and its slices once, so that a question costs a few lookups. */
export interface ServiceRecords {
  kind: 'clusterIP' | 'headless' | 'externalName'
  /** Cluster IPs, or the addresses of all ready endpoints. */
  addresses: string[]
  /** Named ports by `_port._proto` in lower case: where SRV records lead; host is '' for the service itself. */
  ports: Map<string, { host: string; port: number }[]>
  /** Addresses of endpoints by hostname in lower case (headless only). */
  hosts: Map<string, string[]>
  externalName: string
}

/** Takes the records out of a service; undefined for one that has none (an ExternalName without a name). */
export function recordsOf(service: Service, slices: readonly EndpointSlice[]): ServiceRecords | undefined {
  const spec = service.spec ?? {}
  const empty = { addresses: [], ports: new Map(), hosts: new Map(), externalName: '' }
  if (spec.type === 'ExternalName') return spec.externalName ? { ...empty, kind: 'externalName', externalName: spec.externalName.replace(/\.$/, '') } : undefined
  if (spec.clusterIP === 'None' || !spec.clusterIP) return headless(slices)
  const ports = new Map<string, { host: string; port: number }[]>()
  for (const port of spec.ports ?? []) if (port.name) ports.set(portKey(port.name, port.protocol), [{ host: '', port: port.port }])
  return { ...empty, kind: 'clusterIP', addresses: spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP], ports }
}

function headless(slices: readonly EndpointSlice[]): ServiceRecords {
  const records: ServiceRecords = { kind: 'headless', addresses: [], ports: new Map(), hosts: new Map(), externalName: '' }
  const seen = new Set<string>()
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false) continue
      for (const address of endpoint.addresses ?? []) {
        const host = (endpoint.hostname || dashed(address)).toLowerCase()
        if (!seen.has(address)) records.addresses.push(address)
        seen.add(address)
        const atHost = records.hosts.get(host) ?? []
        if (!atHost.includes(address)) records.hosts.set(host, [...atHost, address])
        for (const port of slice.ports ?? []) {
          if (!port.name || port.port === undefined) continue
          const key = portKey(port.name, port.protocol)
          const targets = records.ports.get(key) ?? []
          if (!targets.some((target) => target.host === host && target.port === port.port)) records.ports.set(key, [...targets, { host, port: port.port }])
        }
      }
    }
  }
  return records
}

function portKey(name: string, protocol = 'TCP'): string {
  return `_${name}._${protocol}`.toLowerCase()
}

/** An endpoint without a hostname is called as its address with dashes, as CoreDNS calls it. */
function dashed(address: string): string {
  return address.replaceAll(/[.:]/g, '-')
}

/** The name under which the PTR record of an address is asked for; undefined for what is no address. */
export function reverseName(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return undefined
  const parsed = ipaddr.parse(address)
  if (parsed.kind() === 'ipv4') return `${address.split('.').toReversed().join('.')}.in-addr.arpa`
  const nibbles = parsed.toByteArray().flatMap((byte) => [byte >> 4, byte & 15]).toReversed()
  return `${nibbles.map((nibble) => nibble.toString(16)).join('.')}.ip6.arpa`
}
