import { CelEvaluationError } from '../errors.ts'
import { codePoints, readsFirst } from './cost.ts'
import { overload } from './overload.ts'
import { formatDouble } from './format-double.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import { checkedInt, checkedUint, maxInt, maxUint, minInt, Uint } from '../values/scalars.ts'
import { checkedTimestamp, Duration, nanosPerSecond, parseGoDuration, parseRfc3339 } from '../values/time.ts'
import type { Timestamp } from '../values/time.ts'
import { TypeValue } from '../values/value.ts'
import type { CelList, CelMap } from '../values/containers.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'


function notConvertible(to: string): CelEvaluationError {
  return new CelEvaluationError(`type conversion error from 'string' to '${to}'`)
}

function doubleToInt(value: number): bigint {
  // The doubles 2^63 and -2^63 count as beyond already.
  if (!Number.isFinite(value) || value >= 2 ** 63 || value <= -(2 ** 63)) throw new CelEvaluationError('integer overflow')
  return BigInt(Math.trunc(value))
}

function doubleToUint(value: number): Uint {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) throw new CelEvaluationError('unsigned integer overflow')
  return new Uint(BigInt(Math.trunc(value)))
}

function stringToInt(text: string): bigint {
  const value = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
  if (value === undefined || value < minInt || value > maxInt) throw notConvertible('int')
  return value
}

function stringToUint(text: string): Uint {
  const value = /^\d+$/.test(text) ? BigInt(text) : undefined
  if (value === undefined || value > maxUint) throw notConvertible('uint')
  return new Uint(value)
}

function stringToDouble(text: string): number {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null) return special[2]?.toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity
  const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN
  if (!Number.isFinite(value)) throw notConvertible('double')
  return value
}

function stringToBool(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
  throw notConvertible('bool')
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function bytesToString(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (error) {
    throw new CelEvaluationError('invalid UTF-8 in bytes, cannot convert to string', { cause: error })
  }
}

function stringToTimestamp(text: string): Timestamp {
  const time = parseRfc3339(text)
  if (time === undefined) throw notConvertible('google.protobuf.Timestamp')
  return checkedTimestamp(time.nanos, time.offsetMinutes)
}

function stringToDuration(text: string): Duration {
  const duration = parseGoDuration(text)
  if (duration === undefined) throw notConvertible('google.protobuf.Duration')
  return duration
}

const identity = (value: Value): Value => value

/** Conversions between types, `type`, `dyn` and `size`. */
export const conversions: readonly Overload[] = [
  overload('type(A): type(A)', (value: Value) => new TypeValue(typeNameOf(value))),
  overload('dyn(A): dyn', identity),
  overload('bool(bool): bool', identity),
  overload('bool(string): bool', stringToBool),
  overload('bytes(bytes): bytes', identity),
  overload('bytes(string): bytes', (text: string) => new TextEncoder().encode(text), readsFirst()),
  overload('double(double): double', identity),
  overload('double(int): double', (value: bigint) => Number(value)),
  overload('double(string): double', stringToDouble),
  overload('double(uint): double', (value: Uint) => Number(value.value)),
  overload('duration(duration): duration', identity),
  overload('duration(int): duration', (value: bigint) => new Duration(checkedInt(value))),
  overload('duration(string): duration', stringToDuration),
  overload('int(int): int', identity),
  overload('int(double): int', doubleToInt),
  overload('int(duration): int', (value: Duration) => value.nanos),
  overload('int(string): int', stringToInt),
  overload('int(timestamp): int', (value: Timestamp) => floorSeconds(value.nanos)),
  overload('int(uint): int', (value: Uint) => checkedInt(value.value)),
  overload('string(string): string', identity),
  overload('string(bool): string', String),
  overload('string(bytes): string', bytesToString, readsFirst()),
  overload('string(double): string', formatDouble),
  overload('string(duration): string', String),
  overload('string(int): string', String),
  overload('string(timestamp): string', String),
  overload('string(uint): string', (value: Uint) => value.value.toString()),
  overload('timestamp(timestamp): timestamp', identity),
  overload('timestamp(int): timestamp', (value: bigint) => checkedTimestamp(value * nanosPerSecond)),
  overload('timestamp(string): timestamp', stringToTimestamp),
  overload('uint(uint): uint', identity),
  overload('uint(double): uint', doubleToUint),
  overload('uint(int): uint', (value: bigint) => checkedUint(value)),
  overload('uint(string): uint', stringToUint),
  ...(['', '->'] as const).flatMap(style => {
    const sized = (type: string, size: (value: never) => number) =>
      overload(style === '' ? `size(${type}): int` : `${type}->size(): int`, (value: never) => BigInt(size(value)))
    return [
      sized('bytes', (value: Uint8Array) => value.length), sized('list(A)', (value: CelList) => value.size),
      sized('map(A, B)', (value: CelMap) => value.size), sized('string', codePoints),
    ]
  }),
]

function floorSeconds(nanos: bigint): bigint {
  const seconds = nanos / nanosPerSecond
  return nanos < 0n && seconds * nanosPerSecond !== nanos ? seconds - 1n : seconds
}

