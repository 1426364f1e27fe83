const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
  formats.set(zone, made)
  return made
}

/** Whether the zone is known. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone === '' ? 'UTC' : zone)
    return true
  } catch {
    return false
  }
}

/** The zone of this process. */
export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}

/** How much a zone's clock is ahead of UTC at a time. */
export function offsetMs(zone: string, at: number): number {
  if (zone === 'UTC' || zone === '') return 0
  const whole = Math.floor(at / 1000) * 1000
  const parts = new Map(formatOf(zone).formatToParts(whole).map(({ type, value }) => [type, Number(value)]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - whole
}

/** The time at which a zone's clock shows this; overflowing days and months are carried. Of times that are missing or come twice, the one that Go chooses. */
export function wallTime(zone: string, year: number, month: number, day: number, hours = 0): number {
  const wall = Date.UTC(year, month, day, hours)
  const offset = offsetMs(zone, wall)
  if (offset === 0) return wall
  const right = offsetMs(zone, wall - offset)
  return wall - (right === offset ? offset : right)
}

/** A time as RFC 3339 on a zone's clock. */
export function formatInZone(zone: string, at: number): string {
  const offset = offsetMs(zone, at)
  const text = new Date(at + offset).toISOString().replace(/\.\d+Z$/, '')
  if (offset === 0) return `${text}Z`
  const minutes = Math.floor(Math.abs(offset) / 60_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
