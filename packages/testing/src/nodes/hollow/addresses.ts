/** Hands out the addresses of a podCIDR (IPv4), the first host's being the node's own; the lowest free one first. */
export class AddressPool {
  readonly #first: number
  readonly #last: number
  readonly #byOwner = new Map<string, string>()
  readonly #used = new Set<number>()

  constructor(cidr: string) {
    const [address = '', bits = '32'] = cidr.split('/')
    const base = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
    this.#first = base + 2
    this.#last = base + 2 ** (32 - Number(bits)) - 2
  }

  /** The owner's address: the one it has, the one it is known to have, or the next free one. Throws when all are given out. */
  of(owner: string, known?: string): string {
    const has = this.#byOwner.get(owner) ?? known
    if (has !== undefined) {
      this.#byOwner.set(owner, has)
      this.#used.add(numberOf(has))
      return has
    }
    for (let number = this.#first; number <= this.#last; number += 1) {
      if (this.#used.has(number)) continue
      const address = [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
      this.#used.add(number)
      this.#byOwner.set(owner, address)
      return address
    }
    throw new Error('every address of the node\'s podCIDR is in use')
  }

  release(owner: string): void {
    const has = this.#byOwner.get(owner)
    if (has === undefined) return
    this.#byOwner.delete(owner)
    this.#used.delete(numberOf(has))
  }
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}
