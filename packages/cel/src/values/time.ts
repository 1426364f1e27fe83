import { CelEvaluationError } from '../errors.ts'
import { maxInt, minInt } from './scalars.ts'

export const nanosPerSecond = 1_000_000_000n
const minTimestamp = -62_135_596_800n * nanosPerSecond
const maxTimestamp = 253_402_300_800n * nanosPerSecond - 1n

/** A span of time in nanoseconds: Go's time.Duration. */
export class Duration {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }

  /** As Go converts it in CEL: whole and fractional seconds with `s` ("3600s", "0.5s"). */
  toString(): string {
    const negative = this.nanos < 0n
    const absolute = negative ? -this.nanos : this.nanos
    const fraction = (absolute % nanosPerSecond).toString().padStart(9, '0').replace(/0+$/, '')
    return `${negative ? '-' : ''}${absolute / nanosPerSecond}${fraction === '' ? '' : `.${fraction}`}s`
  }
}

/** A point in time, in nanoseconds since 1970, years 1 to 9999. */
export class Timestamp {
  readonly nanos: bigint
  /** The offset from UTC that it was written with: it is kept, and shown. */
  readonly offsetMinutes: number

  constructor(nanos: bigint, offsetMinutes = 0) {
    this.nanos = nanos
    this.offsetMinutes = offsetMinutes
  }

  /** RFC 3339 with as many fraction digits as needed. */
  toString(): string {
    const fraction = floorMod(this.nanos, nanosPerSecond)
    const date = new Date(Number((this.nanos - fraction) / 1_000_000n) + this.offsetMinutes * 60_000)
    const year = String(date.getUTCFullYear()).padStart(4, '0')
    const seconds = `${year}${date.toISOString().replace(/^[+-]?\d+/, '').slice(0, 15)}`
    const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '')
    return `${seconds}${digits === '' ? '' : `.${digits}`}${zoneText(this.offsetMinutes)}`
  }
}

function zoneText(offsetMinutes: number): string {
  if (offsetMinutes === 0) return 'Z'
  const minutes = Math.abs(offsetMinutes)
  return `${offsetMinutes < 0 ? '-' : '+'}${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}

export function checkedDuration(nanos: bigint): Duration {
  if (nanos < minInt || nanos > maxInt) throw new CelEvaluationError('integer overflow')
  return new Duration(nanos)
}

export function checkedTimestamp(nanos: bigint, offsetMinutes = 0): Timestamp {
  if (nanos < minTimestamp || nanos > maxTimestamp) throw new CelEvaluationError('timestamp overflow')
  return new Timestamp(nanos, offsetMinutes)
}

export function floorMod(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by
}

const unitNanos: Readonly<Record<string, bigint>> = {
  'ns': 1n, 'us': 1000n, 'µs': 1000n, 'μs': 1000n, 'ms': 1_000_000n, 's': nanosPerSecond, 'm': 60n * nanosPerSecond, 'h': 3600n * nanosPerSecond,
}

/** Reads Go's duration text ("1h30m", "-1.5s", "0"); undefined for anything else or beyond 64 bits. */
export function parseGoDuration(text: string): Duration | undefined {
  const sign = /^[+-]/.exec(text)?.[0]
  let rest = sign === undefined ? text : text.slice(1)
  if (rest === '0') return new Duration(0n)
  if (rest === '') return undefined
  let nanos = 0n
  while (rest !== '') {
    const part = /^(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/.exec(rest)
    if (part === null || ((part[1] ?? '') === '' && (part[2] ?? '') === '')) return undefined
    const unit = unitNanos[part[3] ?? ''] ?? 0n
    nanos += BigInt(part[1] === '' ? 0 : part[1] ?? 0) * unit
    const fraction = part[2] ?? ''
    if (fraction !== '') nanos += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length)
    rest = rest.slice(part[0].length)
  }
  const signed = sign === '-' ? -nanos : nanos
  return signed < minInt || signed > maxInt ? undefined : new Duration(signed)
}

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/

/** Reads an RFC 3339 time; undefined for what Go's time.RFC3339 refuses. */
export function parseRfc3339(text: string): Timestamp | undefined {
  const match = rfc3339.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const daysInMonth = month === 2 ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth || hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, 0)
  const zone = match[8] ?? 'Z'
  const offsetMinutes = zone === 'Z' ? 0 : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)))
  if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 23 || Number(zone.slice(4, 6)) > 59)) return undefined
  const fraction = (match[7] ?? '').padEnd(9, '0').slice(0, 9)
  return new Timestamp((BigInt(date.getTime()) - BigInt(offsetMinutes) * 60_000n) * 1_000_000n + BigInt(fraction), offsetMinutes)
}

/** The calendar fields of a time in a zone ("UTC", "Europe/Berlin", "+02:00"). Throws on an unknown zone. */
export function calendarOf(time: Timestamp, zone: string): { date: Date; nanos: bigint } {
  const nanos = floorMod(time.nanos, nanosPerSecond)
  const millis = Number((time.nanos - nanos) / 1_000_000n)
  return { date: new Date(millis + offsetMillis(zone, millis)), nanos }
}

function offsetMillis(zone: string, at: number): number {
  if (zone === '' || zone === 'UTC') return 0
  const fixed = /^([+-]?)(\d{1,2}):(\d{2})$/.exec(zone)
  if (fixed !== null) return (fixed[1] === '-' ? -1 : 1) * (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000
  let parts: Intl.DateTimeFormatPart[]
  try {
    parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    }).formatToParts(at)
  } catch (error) {
    throw new CelEvaluationError(`unknown time zone ${zone}`, { cause: error })
  }
  const field = (type: string) => Number(parts.find(part => part.type === type)?.value ?? 0)
  const local = new Date(0)
  local.setUTCFullYear(parts.some(part => part.type === 'era' && part.value === 'BC') ? 1 - field('year') : field('year'), field('month') - 1, field('day'))
  local.setUTCHours(field('hour'), field('minute'), field('second'), 0)
  return local.getTime() - at
}
