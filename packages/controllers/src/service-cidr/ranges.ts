import type { IPAddress, ServiceCIDR } from '@berth/api/types/networking/v1'
import ipaddr from 'ipaddr.js'

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** The label of addresses that the API server gave to Services. */
const managedBy = { label: 'ipaddress.kubernetes.io/managed-by', value: 'ipallocator.k8s.io' }

const rangesOf = ({ spec }: ServiceCIDR): Range[] => (spec?.cidrs ?? []).map((cidr) => ipaddr.parseCIDR(cidr))

function contains([outer, bits]: Range, inner: ipaddr.IPv4 | ipaddr.IPv6, innerBits: number): boolean {
  return outer.kind() === inner.kind() && bits <= innerBits && inner.match(outer as ipaddr.IPv4 & ipaddr.IPv6, bits)
}

/** Whether one range of these holds, or is held by, one of those. */
export function overlap(a: ServiceCIDR, b: ServiceCIDR): boolean {
  return rangesOf(a).some((one) => rangesOf(b).some((other) => contains(one, other[0], other[1]) || contains(other, one[0], one[1])))
}

/** The ServiceCIDRs that an address which the API server gave away may be of. */
export function holdersOf(address: IPAddress, all: readonly ServiceCIDR[]): ServiceCIDR[] {
  if (address.metadata.labels?.[managedBy.label] !== managedBy.value || !ipaddr.isValid(address.metadata.name)) return []
  const parsed = ipaddr.parse(address.metadata.name)
  const bits = parsed.kind() === 'ipv4' ? 32 : 128
  return all.filter((cidr) => rangesOf(cidr).some((range) => contains(range, parsed, bits)))
}

/** Whether a ServiceCIDR may go: all its ranges are within others, or no Service would be left with an address of no range. */
export function mayGo(cidr: ServiceCIDR, all: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const others = all.filter((other) => other.metadata.name !== cidr.metadata.name)
  const isWithinOthers = rangesOf(cidr).every(([address, bits]) => others.some((other) => rangesOf(other).some((range) => contains(range, address, bits))))
  if (isWithinOthers) return true
  return !addresses.some((address) => {
    const holders = holdersOf(address, all)
    return holders.length === 1 && holders[0]?.metadata.name === cidr.metadata.name
  })
}
