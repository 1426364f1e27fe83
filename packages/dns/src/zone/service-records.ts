import ipaddr from 'ipaddr.js'
import type { Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { isSendable } from '../wire/names.ts'

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

/** Takes the records out of a service; undefined for one that has none (an ExternalName that is empty, an address, or longer than a name may be). */
export function recordsOf(service: Service, slices: readonly EndpointSlice[]): ServiceRecords | undefined {
  const spec = service.spec ?? {}
  const empty = { addresses: [], ports: new Map(), hosts: new Map(), externalName: '' }
  if (spec.type === 'ExternalName') {
    const externalName = spec.externalName?.replace(/\.$/, '') ?? ''
    return isSendable(externalName) && !ipaddr.isValid(externalName) ? { ...empty, kind: 'externalName', externalName } : undefined
  }
  if (spec.clusterIP === 'None' || !spec.clusterIP) return headless(slices, spec.publishNotReadyAddresses ?? false)
  const ports = new Map<string, { host: string; port: number }[]>()
  for (const port of spec.ports ?? []) if (port.name) ports.set(portKey(port.name, port.protocol), [{ host: '', port: port.port }])
  return { ...empty, kind: 'clusterIP', addresses: spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP], ports }
}

function headless(slices: readonly EndpointSlice[], notReady: boolean): ServiceRecords {
  const addresses = new Set<string>()
  const hosts = new Map<string, Set<string>>()
  const ports = new Map<string, Map<string, { host: string; port: number }>>()
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue
    for (const endpoint of slice.endpoints ?? []) {
      // The EndpointSlice controller says ready where the Service wants that; hand-made slices say what is.
      if (endpoint.conditions?.ready === false && !notReady) continue
      for (const address of endpoint.addresses ?? []) {
        if (!isAddress(address)) continue
        const host = (endpoint.hostname || dashed(address)).toLowerCase()
        addresses.add(address)
        getOr(hosts, host, () => new Set()).add(address)
        for (const { name, port, protocol } of slice.ports ?? []) {
          if (name && port !== undefined) getOr(ports, portKey(name, protocol), () => new Map()).set(`${host} ${port}`, { host, port })
        }
      }
    }
  }
  return {
    kind: 'headless', addresses: [...addresses], externalName: '', hosts: new Map([...hosts].map(([host, at]) => [host, [...at]])),
    ports: new Map([...ports].map(([key, targets]) => [key, [...targets.values()]])),
  }
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make()
  map.set(key, found)
  return found
}

function isAddress(text: string): boolean {
  return text.includes(':') ? ipaddr.IPv6.isValid(text) && !text.includes('%') : ipaddr.IPv4.isValidFourPartDecimal(text)
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
