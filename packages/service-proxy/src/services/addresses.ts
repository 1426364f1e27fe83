import ipaddr from 'ipaddr.js'

export function isIpv4(address: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(address)
}

/** Whether an IPv4 address lies in a range such as 10.0.0.0/8. False for IPv6 and for what is no range. */
export function inRange(address: string, cidr: string): boolean {
  if (!isIpv4(address) || !ipaddr.IPv4.isValidCIDR(cidr)) return false
  return ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(cidr))
}

/** IPv4 ranges without those that lie in another one, in canonical form: an nft interval set refuses overlaps. What is no IPv4 range is left out. */
export function mergeRanges(cidrs: readonly string[]): string[] {
  const ranges = cidrs.map((cidr) => cidr.trim()).filter((cidr) => ipaddr.IPv4.isValidCIDR(cidr)).map((cidr) => {
    const prefix = ipaddr.IPv4.parseCIDR(cidr)[1]
    return { network: ipaddr.IPv4.networkAddressFromCIDR(cidr).toString(), prefix }
  }).toSorted((a, b) => a.prefix - b.prefix)
  const kept: typeof ranges = []
  for (const range of ranges) if (!kept.some((wider) => inRange(range.network, `${wider.network}/${wider.prefix}`))) kept.push(range)
  return kept.map(({ network, prefix }) => (prefix === 32 ? network : `${network}/${prefix}`))
}

/**
 * The node's addresses on which node ports answer: with no ranges (or `primary`) the node's primary address; else every local address in one of the ranges. Loopback
 * addresses never: the kernel does not route from them to a pod.
 */
export function nodePortAddresses(ranges: readonly string[], primary: string | undefined, local: readonly string[]): string[] {
  const chosen = ranges.length === 0 || ranges.includes('primary')
    ? (primary === undefined ? [] : [primary])
    : local.filter((address) => ranges.some((range) => inRange(address, range)))
  return [...new Set(chosen)].filter((address) => isIpv4(address) && !address.startsWith('127.')).toSorted()
}
