import { isIP, isIPv4, isIPv6 } from 'node:net'
import { invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'

/** The text with leading zeros of a dotted address taken away: what older servers read it as. */
function withoutLeadingZeros(text: string): string {
  return text.replace(/(^|[.:])0+(?=\d{1,3}(?:\.|$))/g, (whole, before: string) => (text.includes('.') ? before : whole))
}

const isMapped = (address: string) => isIPv6(address) && /^::ffff:(\d|[0-9a-f]{1,4}:[0-9a-f]{1,4}$)/i.test(address)

/** An IP address, written as it should be. */
export function checkIp(field: string, value: string): FieldError[] {
  if (isIP(value) !== 0 && !value.includes('%')) return isMapped(value) ? [invalid(field, value, 'must not be an IPv4-mapped IPv6 address')] : []
  if (isIP(withoutLeadingZeros(value)) !== 0 && !value.includes('%')) return [invalid(field, value, 'must not have leading 0s')]
  return [invalid(field, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

/** A network in CIDR notation, written as it should be. */
export function checkCidr(field: string, value: string): FieldError[] {
  const wrong = [invalid(field, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
  const [address = '', prefix = '', ...rest] = value.split('/')
  if (rest.length > 0 || !/^\d+$/.test(prefix)) return wrong
  const plain = withoutLeadingZeros(address)
  const bits = Number(prefix)
  if (isIP(plain) === 0 || address.includes('%') || bits > (isIPv4(plain) ? 32 : 128)) return wrong
  if (plain !== address || String(bits) !== prefix) return [invalid(field, value, 'must not have leading 0s in IP or prefix length')]
  if (isMapped(address)) return [invalid(field, value, 'must not have an IPv4-mapped IPv6 address')]
  const number = ipNumber(address)
  const free = BigInt((isIPv4(address) ? 32 : 128) - bits)
  return number & ((1n << free) - 1n) ? [invalid(field, value, 'must not have bits set beyond the prefix length')] : []
}

/** An address with the length of its network's prefix, written as it should be. */
export function checkInterfaceAddress(field: string, value: string): FieldError[] {
  const [address = '', prefix = '', ...rest] = value.split('/')
  const plain = withoutLeadingZeros(address)
  const known = canonicalIp(plain)
  if (rest.length > 0 || !/^\d+$/.test(prefix) || known === undefined || Number(prefix) > (isIPv4(plain) ? 32 : 128)) {
    return [invalid(field, value, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)')]
  }
  const canonical = `${known}/${Number(prefix)}`
  return value === canonical ? [] : [invalid(field, value, `must be in canonical form ("${canonical}")`)]
}

/** A network's address and the length of its prefix; undefined for what is none. */
function parseCidr(text: string): { address: string, bits: number } | undefined {
  const [given = '', prefix = '', ...rest] = text.split('/')
  const address = withoutLeadingZeros(given)
  const bits = Number(prefix)
  return rest.length > 0 || !/^\d+$/.test(prefix) || isIP(address) === 0 || address.includes('%') || bits > (isIPv4(address) ? 32 : 128) ? undefined : { address, bits }
}

/** Whether a network is part of another and smaller than it; undefined where either is no network. */
export function cidrContains(outer: string, inner: string): boolean | undefined {
  const [a, b] = [parseCidr(outer), parseCidr(inner)]
  if (!a || !b) return undefined
  if (isIPv4(a.address) !== isIPv4(b.address) || a.bits >= b.bits) return false
  const free = BigInt((isIPv4(a.address) ? 32 : 128) - a.bits)
  return ipNumber(a.address) >> free === ipNumber(b.address) >> free
}

/** A network as RFC 5952 has it; undefined for what is none. */
export function canonicalCidr(text: string): string | undefined {
  const parsed = parseCidr(text)
  return parsed && `${canonicalIp(parsed.address) ?? parsed.address}/${parsed.bits}`
}

/** An address as a number; the text must be an address. */
export function ipNumber(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
  return ipv6Groups(address).reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
}

function ipv6Groups(address: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const text = dotted ? address.slice(0, dotted.index) + dottedGroups(dotted.slice(1, 5).map(Number)) : address
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  return [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right]
}

function dottedGroups([a = 0, b = 0, c = 0, d = 0]: number[]): string {
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

/** True if addresses (or networks) are of both families. */
export function isDualStack(addresses: readonly string[]): boolean {
  const plain = addresses.map((address) => address.split('/')[0] ?? '')
  return plain.some((address) => isIPv4(address)) && plain.some((address) => isIPv6(address))
}

export const isIpv6Text = (address: string): boolean => isIPv6(address)

/** An address that traffic can be sent to from elsewhere: not unspecified, loopback or link-local. */
export function checkNonSpecialIp(field: string, value: string): FieldError[] {
  const plain = withoutLeadingZeros(value)
  if (isIP(plain) === 0) return [invalid(field, value, 'must be a valid IP address')]
  const number = ipNumber(plain)
  const v4 = isIPv4(plain)
  const errors: FieldError[] = []
  if (number === 0n) errors.push(invalid(field, value, `may not be unspecified (${value})`))
  if (v4 ? number >> 24n === 127n : number === 1n) errors.push(invalid(field, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  if (v4 ? number >> 16n === 0xa9fen : number >> 118n === 0x3fan) errors.push(invalid(field, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  if (v4 ? number >> 8n === 0xe00000n : ((number >> 112n) & 0xff0fn) === 0xff02n) errors.push(invalid(field, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
  return errors
}

/** The address written as the IPAddress resource's name: RFC 5952, no leading zeros. */
export function canonicalIp(address: string): string | undefined {
  if (isIPv4(address)) return address
  if (!isIPv6(address) || address.includes('%')) return undefined
  const groups = ipv6Groups(address)
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  const hex = groups.map((group) => group.toString(16))
  if (best.start < 0) return hex.join(':')
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`
}
