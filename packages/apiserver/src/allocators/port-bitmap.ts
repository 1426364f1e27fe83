/** A range of numbers, both ends in it. */
export interface PortRange {
  readonly from: number
  readonly to: number
}

/** Which numbers of a range are taken: one bit each. Changed by copies, as a value that is compared and swapped. */
export class PortBitmap {
  readonly range: PortRange
  readonly #bits: Uint8Array

  constructor(range: PortRange, bits?: Uint8Array) {
    this.range = range
    this.#bits = new Uint8Array(Math.ceil((range.to - range.from + 1) / 8))
    if (bits) this.#bits.set(bits.subarray(0, this.#bits.length))
  }

  get bytes(): Uint8Array {
    return this.#bits
  }

  inRange(port: number): boolean {
    return port >= this.range.from && port <= this.range.to
  }

  has(port: number): boolean {
    const at = port - this.range.from
    return this.inRange(port) && ((this.#bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0
  }

  /** A copy with more numbers taken and others free. Numbers out of range are passed over. */
  with(taken: Iterable<number>, freed: Iterable<number> = []): PortBitmap {
    const copy = new PortBitmap(this.range, this.#bits)
    for (const port of taken) copy.#set(port, true)
    for (const port of freed) copy.#set(port, false)
    return copy
  }

  /** A free number, from a random place on (`random` in [0, 1)); those of the lower part last, which are left to those who ask by number. Undefined when full. */
  free(random: () => number, except: ReadonlySet<number> = new Set()): number | undefined {
    const count = this.range.to - this.range.from + 1
    const split = staticPorts(count)
    for (const [from, to] of [[split, count], [0, split]] as const) {
      const size = to - from
      const start = Math.floor(random() * size)
      for (let i = 0; i < size; i++) {
        const port = this.range.from + from + ((start + i) % size)
        if (!this.has(port) && !except.has(port)) return port
      }
    }
    return undefined
  }

  /** All numbers that are taken, ascending. */
  * ports(): Generator<number> {
    for (let port = this.range.from; port <= this.range.to; port++) if (this.has(port)) yield port
  }

  #set(port: number, taken: boolean): void {
    if (!this.inRange(port)) return
    const at = port - this.range.from
    const byte = this.#bits[at >> 3] ?? 0
    this.#bits[at >> 3] = taken ? byte | (1 << (at & 7)) : byte & ~(1 << (at & 7))
  }
}

/** How many numbers at the range's beginning are left to those who ask by number: min(max(16, size/32), 128), none of small ranges. */
function staticPorts(size: number): number {
  const share = Math.min(Math.max(16, Math.floor(size / 32)), 128)
  return share < size ? share : 0
}
