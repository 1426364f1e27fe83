import { WireError } from './wire-error.ts'

const utf8 = new TextDecoder('utf-8')

/** Reads protobuf's wire format from bytes. Every read checks its bounds and throws WireError on what is not protobuf. */
export class Reader {
  private readonly view: DataView
  private readonly bytes: Uint8Array
  private position: number
  private readonly end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = start
    this.end = end
  }

  get done(): boolean {
    return this.position >= this.end
  }

  /** A field's key: its number and its wire type. */
  key(): { number: number; wireType: number } {
    const key = this.uint32()
    const number = key >>> 3
    if (number === 0) throw new WireError('field number 0')
    return { number, wireType: key & 7 }
  }

  /** A varint of which the low 32 bits count. */
  uint32(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte()
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new WireError('varint longer than 10 bytes')
  }

  int32(): number {
    return this.uint32() | 0
  }

  bool(): boolean {
    return this.uint64() !== 0n
  }

  uint64(): bigint {
    let low = 0
    let middle = 0
    let high = 0
    for (let index = 0; index < 10; index++) {
      const byte = this.byte()
      const bits = byte & 0x7f
      if (index < 4) low |= bits << (7 * index)
      else if (index < 8) middle |= bits << (7 * (index - 4))
      else high |= bits << (7 * (index - 8))
      if (byte < 0x80) {
        if (middle === 0 && high === 0) return BigInt(low)
        return BigInt.asUintN(64, BigInt(low) | (BigInt(middle) << 28n) | (BigInt(high) << 56n))
      }
    }
    throw new WireError('varint longer than 10 bytes')
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64())
  }

  double(): number {
    const start = this.take(8)
    return this.view.getFloat64(start, true)
  }

  string(): string {
    const { start, end } = this.span()
    return utf8.decode(this.bytes.subarray(start, end))
  }

  /** A copy, so that a message never keeps the buffer it came in. */
  byteString(): Uint8Array {
    const { start, end } = this.span()
    return this.bytes.slice(start, end)
  }

  /** A reader of the length-delimited value that follows. */
  message(): Reader {
    const { start, end } = this.span()
    return new Reader(this.bytes, start, end)
  }

  /** Passes over a value of an unknown field. */
  skip(wireType: number): void {
    if (wireType === 0) this.uint64()
    else if (wireType === 1) this.take(8)
    else if (wireType === 2) this.span()
    else if (wireType === 5) this.take(4)
    else throw new WireError(`wire type ${wireType}`)
  }

  private byte(): number {
    if (this.position >= this.end) throw new WireError('ends inside a value')
    return this.bytes[this.position++] ?? 0
  }

  private take(count: number): number {
    const start = this.position
    if (count > this.end - start) throw new WireError('ends inside a value')
    this.position = start + count
    return start
  }

  private span(): { start: number; end: number } {
    const length = this.uint32()
    const start = this.take(length)
    return { start, end: start + length }
  }
}
