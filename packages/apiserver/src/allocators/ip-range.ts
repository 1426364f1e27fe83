import ipaddr from 'ipaddr.js'

/** IPv4 or IPv6, as Services name them. */
export type IpFamily = 'IPv4' | 'IPv6'

/** A range of addresses that Services get theirs from. */
export interface IpRange {
  readonly cidr: string
  readonly family: IpFamily
  /** The network address as a number. */
  readonly base: bigint
  /** How many addresses may be given out: without the network address, and without IPv4's broadcast address. */
  readonly size: bigint
}

/** Reads a CIDR. Throws an Error that names it. */
export function parseRange(cidr: string): IpRange {
  let parsed: ReturnType<typeof ipaddr.parseCIDR>
  try {
    parsed = ipaddr.parseCIDR(cidr)
  } catch (error) {
    throw new Error(`invalid CIDR address: ${cidr}`, { cause: error })
  }
  const [address, bits] = parsed
  const v4 = address.kind() === 'ipv4'
  const width = v4 ? 32 : 128
  const all = 1n << BigInt(width - bits)
  const reserved = v4 ? 2n : 1n
  return { cidr, family: v4 ? 'IPv4' : 'IPv6', base: (toNumber(address) / all) * all, size: all > reserved ? all - reserved : 0n }
}

/** The address at an offset: 0 is the first that may be given out. */
export function addressAt(range: IpRange, offset: bigint): string {
  let rest = range.base + 1n + offset
  const bytes: number[] = []
  for (let i = 0; i < (range.family === 'IPv4' ? 4 : 16); i++) {
    bytes.unshift(Number(rest & 0xffn))
    rest >>= 8n
  }
  return canonical(ipaddr.fromByteArray(bytes))
}

/** Whether an address may be given out of a range. */
export function contains(range: IpRange, address: string): boolean {
  const family = familyOf(address)
  if (family !== range.family) return false
  const offset = toNumber(ipaddr.parse(address)) - range.base - 1n
  return offset >= 0n && offset < range.size
}

/** The family of an address; undefined where it is none (IPv4 must have four plain decimal parts). */
export function familyOf(address: string): IpFamily | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return 'IPv4'
  return address.includes(':') && ipaddr.IPv6.isValid(address) ? 'IPv6' : undefined
}

/** The one spelling of an address that names an IPAddress object. */
export function canonicalAddress(address: string): string {
  return canonical(ipaddr.parse(address))
}

/**
 * Where the addresses begin that are given out to who asks for none: those before it are left to those who ask by number as long as
 * there are others (min(max(16, size/16), 256), upstream's split).
 */
export function dynamicOffset(size: bigint): bigint {
  const share = size / 16n
  const atLeast = share > 16n ? share : 16n
  const offset = atLeast < 256n ? atLeast : 256n
  return offset < size ? offset : 0n
}

function canonical(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()
}

function toNumber(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
}
