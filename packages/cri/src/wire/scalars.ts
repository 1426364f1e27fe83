import type { Reader } from './reader.ts'
import { WireError } from './wire-error.ts'
import type { Writer } from './writer.ts'

/** How one scalar type is read, written, checked, and what it is when absent. */
export interface Scalar {
  wireType: number
  zero: unknown
  read(reader: Reader): unknown
  write(writer: Writer, value: unknown): void
  isZero(value: unknown): boolean
}

function typed<T>(check: (value: unknown) => T, write: (writer: Writer, value: T) => void): (writer: Writer, value: unknown) => void {
  return (writer, value) => write(writer, check(value))
}

function asString(value: unknown): string {
  if (typeof value !== 'string') throw new WireError(`expected a string, got ${describe(value)}`)
  return value
}

function asBoolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new WireError(`expected a boolean, got ${describe(value)}`)
  return value
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number') throw new WireError(`expected a number, got ${describe(value)}`)
  return value
}

function asInteger(low: number, high: number): (value: unknown) => number {
  return (value) => {
    const number = asNumber(value)
    if (!Number.isInteger(number) || number < low || number > high) throw new WireError(`${number} is not an integer between ${low} and ${high}`)
    return number
  }
}

/** A bigint; a whole number that is exact is taken too. */
function asBigint(low: bigint, high: bigint): (value: unknown) => bigint {
  return (value) => {
    if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw new WireError(`expected a bigint, got ${describe(value)}`)
    const integer = BigInt(value as bigint | number)
    if (integer < low || integer > high) throw new WireError(`${integer} is not between ${low} and ${high}`)
    return integer
  }
}

function asBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new WireError(`expected bytes, got ${describe(value)}`)
  return value
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value === 'number' ? String(value) : typeof value
}

const isFalsy = (value: unknown): boolean => !value

/** The scalar types that CRI uses. */
export const scalars: Readonly<Record<string, Scalar>> = {
  string: { wireType: 2, zero: '', read: (reader) => reader.string(), write: typed(asString, (writer, value) => writer.string(value)), isZero: isFalsy },
  bool: { wireType: 0, zero: false, read: (reader) => reader.bool(), write: typed(asBoolean, (writer, value) => writer.bool(value)), isZero: isFalsy },
  bytes: {
    wireType: 2,
    zero: new Uint8Array(0),
    read: (reader) => reader.byteString(),
    write: typed(asBytes, (writer, value) => writer.byteString(value)),
    isZero: (value) => value instanceof Uint8Array && value.length === 0,
  },
  int64: {
    wireType: 0,
    zero: 0n,
    read: (reader) => reader.int64(),
    write: typed(asBigint(-(2n ** 63n), 2n ** 63n - 1n), (writer, value) => writer.uint64(value)),
    isZero: isFalsy,
  },
  uint64: { wireType: 0, zero: 0n, read: (reader) => reader.uint64(), write: typed(asBigint(0n, 2n ** 64n - 1n), (writer, value) => writer.uint64(value)), isZero: isFalsy },
  int32: {
    wireType: 0,
    zero: 0,
    read: (reader) => reader.int32(),
    write: typed(asInteger(-(2 ** 31), 2 ** 31 - 1), (writer, value) => writer.int32(value)),
    isZero: (value) => value === 0,
  },
  uint32: { wireType: 0, zero: 0, read: (reader) => reader.uint32(), write: typed(asInteger(0, 2 ** 32 - 1), (writer, value) => writer.uint32(value)), isZero: (value) => value === 0 },
  double: { wireType: 1, zero: 0, read: (reader) => reader.double(), write: typed(asNumber, (writer, value) => writer.double(value)), isZero: (value) => Object.is(value, 0) },
}
