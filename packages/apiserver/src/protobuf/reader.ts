// Reading the protobuf wire format.

/** Bytes that are no protobuf message. */
export class ProtobufError extends Error {
  constructor(message: string) {
    super(`proto: ${message}`)
    this.name = 'ProtobufError'
  }
}

export type WireType = 0 | 1 | 2 | 5

export class Reader {
  readonly #bytes: Uint8Array
  #at = 0
  readonly #end: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#end = bytes.length
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  /** The next field's number and wire type. */
  tag(): { number: number, wire: WireType } {
    const value = Number(this.varint())
    const wire = value & 7
    if (wire !== 0 && wire !== 1 && wire !== 2 && wire !== 5) throw new ProtobufError(`wiretype ${wire} is not supported`)
    return { number: Math.floor(value / 8), wire }
  }

  /** An unsigned 64-bit varint. */
  varint(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new ProtobufError('unexpected EOF')
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, result)
    }
    throw new ProtobufError('integer overflow')
  }

  bytes(): Uint8Array {
    const length = Number(this.varint())
    const from = this.#at
    if (length > this.#end - from) throw new ProtobufError('unexpected EOF')
    this.#at += length
    return this.#bytes.subarray(from, from + length)
  }

  double(): number {
    if (this.#end - this.#at < 8) throw new ProtobufError('unexpected EOF')
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8).getFloat64(0, true)
    this.#at += 8
    return value
  }

  /** Skips a value of a field that is not known. */
  skip(wire: WireType): void {
    if (wire === 0) this.varint()
    else if (wire === 2) this.bytes()
    else {
      this.#at += wire === 1 ? 8 : 4
      if (this.#at > this.#end) throw new ProtobufError('unexpected EOF')
    }
  }
}

/** A signed 64-bit integer as JSON has it: a bigint only where a double would lose digits. */
export function signed(value: bigint): number | bigint {
  const integer = BigInt.asIntN(64, value)
  return integer >= BigInt(Number.MIN_SAFE_INTEGER) && integer <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(integer) : integer
}
