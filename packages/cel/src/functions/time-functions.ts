import { overload } from './overload.ts'
import { calendarOf } from '../values/time.ts'
import type { Overload } from './overload.ts'
import type { Duration, Timestamp } from '../values/time.ts'

const dayMillis = 86_400_000

const fields: Readonly<Record<string, (date: Date, nanos: bigint) => number>> = {
  getFullYear: date => date.getUTCFullYear(),
  getMonth: date => date.getUTCMonth(),
  getDayOfYear: date => Math.floor((Date.UTC(2000, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(2000, 0, 1)) / dayMillis) - skippedLeapDay(date),
  getDayOfMonth: date => date.getUTCDate() - 1,
  getDate: date => date.getUTCDate(),
  getDayOfWeek: date => date.getUTCDay(),
  getHours: date => date.getUTCHours(),
  getMinutes: date => date.getUTCMinutes(),
  getSeconds: date => date.getUTCSeconds(),
  getMilliseconds: (_, nanos) => Number(nanos / 1_000_000n),
}

// The day of the year is counted in a leap year; after February a common year has one day less.
function skippedLeapDay(date: Date): number {
  const year = date.getUTCFullYear()
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return !leap && date.getUTCMonth() > 1 ? 1 : 0
}

const durationUnits: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n, getMinutes: 60_000_000_000n, getSeconds: 1_000_000_000n, getMilliseconds: 1_000_000n,
}

/** Calendar fields of timestamps, in UTC or a given zone, and the whole units of durations. */
export const timeFunctions: readonly Overload[] = [
  ...Object.entries(fields).flatMap(([name, field]) => {
    const read = (time: Timestamp, zone: string) => {
      const { date, nanos } = calendarOf(time, zone)
      return BigInt(field(date, nanos))
    }
    return [
      overload(`timestamp->${name}(): int`, (time: Timestamp) => read(time, 'UTC')),
      overload(`timestamp->${name}(string): int`, read),
    ]
  }),
  ...Object.entries(durationUnits).map(([name, unit]) => overload(`duration->${name}(): int`, (duration: Duration) => duration.nanos / unit)),
]
