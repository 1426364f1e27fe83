import ipaddr from 'ipaddr.js'

/** The subnets of one size in a range of addresses, some of them taken. */
export class CidrSet {
  readonly #base: bigint
  readonly #bits: number
  readonly #prefix: number
  readonly #maskSize: number
  readonly #count: number
  readonly #taken = new Set<number>()
  #next = 0

  /** Throws where `cidr` is no range or has no subnets of this size. */
  constructor(cidr: string, maskSize: number) {
    const [address, prefix] = parse(cidr)
    this.#bits = address.kind() === 'ipv4' ? 32 : 128
    if (maskSize < prefix || maskSize > this.#bits) throw new Error(`cluster CIDR ${cidr}: New CIDR set failed; the node CIDR size is too big: /${maskSize}`)
    if (maskSize - prefix > 16) throw new Error(`cluster CIDR ${cidr}: New CIDR set failed; the node CIDR size /${maskSize} gives more than 65536 subnets`)
    this.#prefix = prefix
    this.#maskSize = maskSize
    this.#count = 2 ** (maskSize - prefix)
    this.#base = toNumber(address) & ~((1n << BigInt(this.#bits - prefix)) - 1n)
  }

  /** The next free subnet; undefined where all are taken. Goes round, so that a freed one rests before it is used again. */
  allocate(): string | undefined {
    for (let tries = 0; tries < this.#count; tries += 1) {
      const index = (this.#next + tries) % this.#count
      if (this.#taken.has(index)) continue
      this.#taken.add(index)
      this.#next = (index + 1) % this.#count
      return this.#text(index)
    }
    return undefined
  }

  /** Marks what a node has; false where it is not of this range. */
  occupy(cidr: string): boolean {
    const indices = this.#indices(cidr)
    for (const index of indices) this.#taken.add(index)
    return indices.length > 0
  }

  release(cidr: string): void {
    for (const index of this.#indices(cidr)) this.#taken.delete(index)
  }

  #text(index: number): string {
    const value = this.#base + (BigInt(index) << BigInt(this.#bits - this.#maskSize))
    const bytes = Array.from({ length: this.#bits / 8 }, (_, i) => Number((value >> BigInt(this.#bits - 8 * (i + 1))) & 0xffn))
    return `${ipaddr.fromByteArray(bytes).toString()}/${this.#maskSize}`
  }

  #indices(cidr: string): number[] {
    const [address, prefix] = parse(cidr)
    if ((address.kind() === 'ipv4' ? 32 : 128) !== this.#bits) return []
    const offset = toNumber(address) - this.#base
    if (offset < 0n || offset >= 1n << BigInt(this.#bits - this.#prefix)) return []
    const first = Number(offset >> BigInt(this.#bits - this.#maskSize))
    const length = prefix >= this.#maskSize ? 1 : 2 ** (this.#maskSize - prefix)
    return Array.from({ length: Math.min(length, this.#count - first) }, (_, i) => first + i)
  }
}

function parse(cidr: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    return ipaddr.parseCIDR(cidr)
  } catch {
    throw new Error(`invalid CIDR address: ${cidr}`)
  }
}

function toNumber(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
