// Writing the protobuf wire format, back to front: a message's length is known once its content is written, so nothing is copied.

export class Writer {
  #bytes: Uint8Array
  /** Where the content begins. */
  #at: number

  constructor(size = 1024) {
    this.#bytes = new Uint8Array(size)
    this.#at = size
  }

  /** How much is written. */
  get length(): number {
    return this.#bytes.length - this.#at
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }

  #room(count: number): void {
    if (this.#at >= count) return
    const used = this.length
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, used + count))
    grown.set(this.finish(), grown.length - used)
    this.#at = grown.length - used
    this.#bytes = grown
  }

  bytes(content: Uint8Array): void {
    this.#room(content.length)
    this.#at -= content.length
    this.#bytes.set(content, this.#at)
  }

  text(content: string): void {
    // Three bytes are the most that one UTF-16 unit can need.
    this.#room(content.length * 3)
    const length = Buffer.byteLength(content)
    this.#at -= length
    Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset).write(content, this.#at, length, 'utf8')
  }

  varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x80) {
      this.#room(1)
      this.#bytes[--this.#at] = value
      return
    }
    const out: number[] = []
    for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
      const low = Number(rest & 0x7fn)
      if (rest >> 7n === 0n) {
        out.push(low)
        break
      }
      out.push(low | 0x80)
    }
    this.bytes(Uint8Array.from(out))
  }

  double(value: number): void {
    this.#room(8)
    this.#at -= 8
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8).setFloat64(0, value, true)
  }

  tag(number: number, wire: 0 | 1 | 2): void {
    this.varint(number * 8 + wire)
  }

  /** Length and tag of what was written since `mark` (an earlier `length`). */
  close(number: number, mark: number): void {
    this.varint(this.length - mark)
    this.tag(number, 2)
  }
}
