import ipaddr from 'ipaddr.js'
import { OverlayError } from './errors.ts'

/** An IPv4 range as numbers: its first address and its prefix length. */
export interface Ipv4Range {
  first: number
  prefix: number
}

/** Reads `10.244.1.0/24`. Throws OverlayError (Unsupported for IPv6, Config for anything else). */
export function parseRange(cidr: string): Ipv4Range {
  if (ipaddr.IPv6.isValidCIDR(cidr)) throw new OverlayError('Unsupported', `${cidr}: IPv6 ranges are not supported yet`)
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr)) throw new OverlayError('Config', `${JSON.stringify(cidr)} is no IPv4 range such as 10.244.1.0/24`)
  const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr)
  const number = toNumber(address.toString())
  return { first: prefix === 0 ? 0 : (number - (number % 2 ** (32 - prefix))), prefix }
}

/** Number of addresses. */
export function sizeOf(range: Ipv4Range): number {
  return 2 ** (32 - range.prefix)
}

export function contains(range: Ipv4Range, address: string): boolean {
  const number = toNumber(address)
  return number >= range.first && number < range.first + sizeOf(range)
}

export function isIpv4(address: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(address)
}

/** `10.0.0.1` as a number; the text must be a valid address. */
export function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

export function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
