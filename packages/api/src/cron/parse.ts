/** A schedule in cron's five fields, or `@every 1h`. Sets hold the values at which it fires. */
export interface CronSchedule {
  readonly minutes: ReadonlySet<number>
  readonly hours: ReadonlySet<number>
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly weekdays: ReadonlySet<number>
  /** `*` or `?` stands in the field: of days and weekdays, both must then hold; otherwise one of them is enough. */
  readonly anyDay: boolean
  readonly anyWeekday: boolean
  /** `@every`: milliseconds between two firings, whole seconds. */
  readonly everyMs?: number
  /** From a `TZ=` or `CRON_TZ=` before the fields. */
  readonly timeZone?: string
}

/** Why a schedule cannot be read, in the words of the library that Kubernetes uses. */
export class CronError extends Error {
  override readonly name = 'CronError'
}

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names?: Readonly<Record<string, number>>
}

const numbered = (names: string, first: number): Record<string, number> => Object.fromEntries(names.split(' ').map((name, i) => [name, first + i]))
const minuteBounds: Bounds = { min: 0, max: 59 }
const hourBounds: Bounds = { min: 0, max: 23 }
const dayBounds: Bounds = { min: 1, max: 31 }
const monthBounds: Bounds = { min: 1, max: 12, names: numbered('jan feb mar apr may jun jul aug sep oct nov dec', 1) }
const weekdayBounds: Bounds = { min: 0, max: 6, names: numbered('sun mon tue wed thu fri sat', 0) }

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@hourly': '0 * * * *',
}

/** Reads a schedule. Throws {@link CronError}. */
export function parseCron(text: string): CronSchedule {
  if (text === '') throw new CronError('empty spec string')
  const zoned = /^(?:TZ|CRON_TZ)=(\S*)\s*(.*)$/.exec(text)
  const timeZone = zoned?.[1]
  const spec = (zoned ? zoned[2] ?? '' : text).trim()
  if (timeZone !== undefined && !isTimeZone(timeZone)) throw new CronError(`provided bad location ${timeZone}: unknown time zone ${timeZone}`)
  const zone = timeZone === undefined ? {} : { timeZone }
  if (spec.startsWith('@')) return { ...parseDescriptor(spec), ...zone }
  return { ...parseFields(spec), ...zone }
}

/** True for `UTC` and the names of the time zone database. */
export function isTimeZone(name: string): boolean {
  if (name === '' || name === 'UTC') return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

function parseDescriptor(spec: string): CronSchedule {
  const fields = descriptors[spec]
  if (fields !== undefined) return parseFields(fields)
  if (!spec.startsWith('@every ')) throw new CronError(`unrecognized descriptor: ${spec}`)
  const everyMs = durationMs(spec.slice('@every '.length))
  if (everyMs === undefined) throw new CronError(`failed to parse duration ${spec}: time: invalid duration ${JSON.stringify(spec.slice('@every '.length))}`)
  return { ...parseFields('* * * * *'), everyMs: Math.max(1000, Math.floor(everyMs / 1000) * 1000) }
}

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

function durationMs(text: string): number | undefined {
  if (!/^[-+]?(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let sum = 0
  for (const [, amount = '0', , unit = 's'] of text.matchAll(/(\d+(\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) sum += Number(amount) * (units[unit] ?? 0)
  return text.startsWith('-') ? -sum : sum
}

function parseFields(spec: string): CronSchedule {
  const fields = spec.split(/\s+/).filter((field) => field !== '')
  if (fields.length !== 5) throw new CronError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
  const [minutes, hours, days, months, weekdays] = [minuteBounds, hourBounds, dayBounds, monthBounds, weekdayBounds].map((bounds, i) => parseField(fields[i] ?? '', bounds))
  const none = { values: new Set<number>(), any: false }
  return {
    minutes: (minutes ?? none).values, hours: (hours ?? none).values, days: (days ?? none).values, months: (months ?? none).values, weekdays: (weekdays ?? none).values,
    anyDay: (days ?? none).any, anyWeekday: (weekdays ?? none).any,
  }
}

function parseField(field: string, bounds: Bounds): { values: Set<number>, any: boolean } {
  const values = new Set<number>()
  let any = false
  for (const part of field.split(',').filter((text) => text !== '')) {
    const { start, end, step, star } = parseRange(part, bounds)
    for (let value = start; value <= end; value += step) values.add(value)
    any ||= star
  }
  return { values, any }
}

function parseRange(text: string, bounds: Bounds): { start: number, end: number, step: number, star: boolean } {
  const parts = text.split('/')
  const limits = (parts[0] ?? '').split('-')
  let start = bounds.min
  let end = bounds.max
  let star = limits[0] === '*' || limits[0] === '?'
  if (!star) {
    start = numberOrName(limits[0] ?? '', bounds)
    if (limits.length > 2) throw new CronError(`too many hyphens: ${text}`)
    end = limits.length === 1 ? start : numberOrName(limits[1] ?? '', bounds)
  }
  let step = 1
  if (parts.length > 2) throw new CronError(`too many slashes: ${text}`)
  if (parts.length === 2) {
    step = wholeNumber(parts[1] ?? '')
    if (limits.length === 1) end = bounds.max
    if (step > 1) star = false
  }
  if (start < bounds.min) throw new CronError(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`)
  if (end > bounds.max) throw new CronError(`end of range (${end}) above maximum (${bounds.max}): ${text}`)
  if (start > end) throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${text}`)
  if (step === 0) throw new CronError(`step of range should be a positive number: ${text}`)
  return { start, end, step, star }
}

const numberOrName = (text: string, { names }: Bounds): number => names?.[text.toLowerCase()] ?? wholeNumber(text)

function wholeNumber(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = Number(text)
  if (value < 0) throw new CronError(`negative number (${value}) not allowed: ${text}`)
  return value
}
