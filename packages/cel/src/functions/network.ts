import ipaddr from 'ipaddr.js'
import { CelEvaluationError } from '../errors.ts'
import { readsFirst, sizeOf, traversal } from './cost.ts'
import { overload } from './overload.ts'
import { OpaqueValue } from '../values/value.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

/** An IP address, kept as a number of 32 or 128 bits. */
export class IpValue extends OpaqueValue {
  readonly typeName = 'net.IP'
  readonly bits: 32 | 128
  readonly number: bigint

  constructor(bits: 32 | 128, number: bigint) {
    super()
    this.bits = bits
    this.number = number
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof IpValue && other.bits === this.bits && other.number === this.number
  }

  override costSize(): number {
    return this.bits / 8
  }

  override toString(): string {
    const bytes = Array.from({ length: this.bits / 8 }, (_, index) => Number(this.number >> BigInt(this.bits - 8 - index * 8) & 0xffn))
    const address = ipaddr.fromByteArray(bytes)
    // RFC 5952 shortens only runs of two or more groups of zeros, as Go writes it.
    return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()
  }
}

/** A network: an address and how many of its bits name the network. */
export class CidrValue extends OpaqueValue {
  readonly typeName = 'net.CIDR'
  readonly ip: IpValue
  readonly prefix: number

  constructor(ip: IpValue, prefix: number) {
    super()
    this.ip = ip
    this.prefix = prefix
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof CidrValue && other.prefix === this.prefix && other.ip.equals(this.ip)
  }

  override costSize(): number {
    return Math.ceil(this.prefix / 8)
  }

  override toString(): string {
    return `${this.ip.toString()}/${this.prefix}`
  }

  contains(ip: IpValue): boolean {
    const shift = BigInt(this.ip.bits - this.prefix)
    return ip.bits === this.ip.bits && ip.number >> shift === this.ip.number >> shift
  }

  masked(): CidrValue {
    const shift = BigInt(this.ip.bits - this.prefix)
    return new CidrValue(new IpValue(this.ip.bits, (this.ip.number >> shift) << shift), this.prefix)
  }
}

const ipv4 = /^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/

function readAddress(text: string): IpValue | undefined {
  const four = ipv4.test(text)
  if (!four && (!text.includes(':') || !ipaddr.IPv6.isValid(text))) return undefined
  if (four && !ipaddr.IPv4.isValid(text)) return undefined
  const address = four ? ipaddr.IPv4.parse(text) : ipaddr.IPv6.parse(text)
  return new IpValue(four ? 32 : 128, address.toByteArray().reduce((number, byte) => (number << 8n) | BigInt(byte), 0n))
}

function isMapped(ip: IpValue): boolean {
  return ip.bits === 128 && ip.number >> 32n === 0xffffn
}

function parseIp(text: string): IpValue {
  const shown = JSON.stringify(text)
  const ip = readAddress(text)
  if (ip === undefined) throw new CelEvaluationError(`IP Address ${shown} parse error during conversion from string: ParseAddr(${shown}): unable to parse IP`)
  if (text.includes('%')) throw new CelEvaluationError(`IP address ${shown} with zone value is not allowed`)
  if (isMapped(ip)) throw new CelEvaluationError(`IPv4-mapped IPv6 address ${shown} is not allowed`)
  return ip
}

function parseCidr(text: string): CidrValue {
  const context = 'network address parse error during conversion from string'
  const refuse = (reason: string) => new CelEvaluationError(`${context}: ${context}: netip.ParsePrefix(${JSON.stringify(text)}): ${reason}`)
  const slash = text.lastIndexOf('/')
  if (slash < 0) throw refuse('no \'/\'')
  const ip = text.slice(0, slash).includes('%') ? undefined : readAddress(text.slice(0, slash))
  if (ip === undefined) throw refuse(`ParseAddr(${JSON.stringify(text.slice(0, slash))}): unable to parse IP`)
  const prefixText = text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(prefixText)) throw refuse(`bad bits after slash: ${JSON.stringify(prefixText)}`)
  if (Number(prefixText) > ip.bits) throw refuse('prefix length out of range')
  if (isMapped(ip)) throw new CelEvaluationError(`${context}: IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`)
  return new CidrValue(ip, Number(prefixText))
}

function parses(parse: () => Value): boolean {
  try {
    parse()
    return true
  } catch (error) {
    if (error instanceof CelEvaluationError) return false
    throw error
  }
}

const containsCidr = (a: CidrValue, b: CidrValue): boolean => a.prefix <= b.prefix && a.contains(b.ip)
const within = (ip: IpValue, four: string, six: string): boolean => parseCidr(ip.bits === 32 ? four : six).contains(ip)

const kinds: Readonly<Record<string, (ip: IpValue) => boolean>> = {
  isUnspecified: ip => ip.number === 0n,
  isLoopback: ip => within(ip, '127.0.0.0/8', '::1/128'),
  isLinkLocalMulticast: ip => within(ip, '224.0.0.0/24', 'ff02::/16') || ip.bits === 128 && (ip.number >> 112n & 0xff0fn) === 0xff02n,
  isLinkLocalUnicast: ip => within(ip, '169.254.0.0/16', 'fe80::/10'),
  isGlobalUnicast: ip => ip.number !== 0n && !(ip.bits === 32 && ip.number === 0xffffffffn)
    && !within(ip, '127.0.0.0/8', '::1/128') && !within(ip, '224.0.0.0/4', 'ff00::/8') && !within(ip, '169.254.0.0/16', 'fe80::/10'),
}

const containsIpCost = (args: readonly Value[]): number => Math.ceil(sizeOf(args[0]) * 2 * 0.1)
const containsCidrCost = (args: readonly Value[]): number => containsIpCost(args) + traversal(sizeOf(args[0])) + 1
const alsoReads = (cost: typeof containsIpCost) => (args: readonly Value[]): number => cost(args) + traversal(sizeOf(args[1]))

/** Kubernetes' IP and CIDR libraries. */
export const networks: readonly Overload[] = [
  overload('ip(string): net.IP', parseIp, readsFirst()),
  overload('isIP(string): bool', (text: string) => parses(() => parseIp(text)), readsFirst()),
  overload('ip.isCanonical(string): bool', (text: string) => parseIp(text).toString() === text, readsFirst(2)),
  overload('net.IP->family(): int', (ip: IpValue) => ip.bits === 32 ? 4n : 6n),
  ...Object.entries(kinds).map(([name, is]) => overload(`net.IP->${name}(): bool`, is)),
  overload('string(net.IP): string', String),
  overload('cidr(string): net.CIDR', parseCidr, readsFirst()),
  overload('isCIDR(string): bool', (text: string) => parses(() => parseCidr(text)), readsFirst()),
  overload('net.CIDR->containsIP(string): bool', (cidr: CidrValue, ip: string) => cidr.contains(parseIp(ip)), alsoReads(containsIpCost)),
  overload('net.CIDR->containsIP(net.IP): bool', (cidr: CidrValue, ip: IpValue) => cidr.contains(ip), containsIpCost),
  overload('net.CIDR->containsCIDR(string): bool', (a: CidrValue, b: string) => containsCidr(a, parseCidr(b)), alsoReads(containsCidrCost)),
  overload('net.CIDR->containsCIDR(net.CIDR): bool', containsCidr, containsCidrCost),
  overload('net.CIDR->ip(): net.IP', (cidr: CidrValue) => cidr.ip),
  overload('net.CIDR->prefixLength(): int', (cidr: CidrValue) => BigInt(cidr.prefix)),
  overload('net.CIDR->masked(): net.CIDR', (cidr: CidrValue) => cidr.masked()),
  overload('string(net.CIDR): string', String),
]
