/** Writes protobuf's wire format into a growing buffer. */
export class Writer {
  private buffer = Buffer.allocUnsafe(256)
  private length = 0

  /** The bytes written so far (a view of the writer's own buffer). */
  finish(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  key(number: number, wireType: number): void {
    this.uint32(number * 8 + wireType)
  }

  uint32(value: number): void {
    this.reserve(5)
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.buffer[this.length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[this.length++] = rest
  }

  /** Negative numbers take ten bytes, as protobuf has it. */
  int32(value: number): void {
    if (value >= 0) this.uint32(value)
    else this.uint64(BigInt.asUintN(64, BigInt(value)))
  }

  uint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value)
    this.reserve(10)
    while (rest > 0x7fn) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.buffer[this.length++] = Number(rest)
  }

  bool(value: boolean): void {
    this.uint32(value ? 1 : 0)
  }

  double(value: number): void {
    this.reserve(8)
    this.buffer.writeDoubleLE(value, this.length)
    this.length += 8
  }

  string(value: string): void {
    const size = Buffer.byteLength(value)
    this.uint32(size)
    this.reserve(size)
    this.buffer.write(value, this.length)
    this.length += size
  }

  byteString(value: Uint8Array): void {
    this.uint32(value.length)
    this.reserve(value.length)
    this.buffer.set(value, this.length)
    this.length += value.length
  }

  /** A length-delimited value that `write` fills. */
  message(write: () => void): void {
    const start = this.length
    this.reserve(5)
    this.length += 1
    write()
    const size = this.length - start - 1
    if (size < 0x80) {
      this.buffer[start] = size
      return
    }
    const extra = varintSize(size) - 1
    this.reserve(extra)
    this.buffer.copyWithin(start + 1 + extra, start + 1, this.length)
    const end = this.length + extra
    this.length = start
    this.uint32(size)
    this.length = end
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.length + count))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}

function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  return value < 0x10000000 ? 4 : 5
}
