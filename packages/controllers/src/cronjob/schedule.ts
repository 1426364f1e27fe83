import { parseCron, type CronSchedule } from '@berth/api'
import { offsetMs, wallTime } from './zones.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** A schedule that can be asked for its next time. */
export interface Schedule {
  /** The first time after one; milliseconds. Undefined where there is none within five years ("31 February"). */
  next(after: number): number | undefined
}

/** Reads a schedule; times are those of the zone, or of the zone that the schedule itself names. Throws what `parseCron` throws. */
export function scheduleOf(text: string, timeZone: string): Schedule {
  const fields = parseCron(text)
  const { everyMs } = fields
  if (everyMs !== undefined) return { next: (after) => Math.floor(after / second) * second + everyMs }
  const zone = fields.timeZone ?? timeZone
  return { next: (after) => nextTime(fields, zone, after) }
}

function dayMatches({ days, weekdays, anyDay, anyWeekday }: CronSchedule, wall: Date): boolean {
  const day = days.has(wall.getUTCDate())
  const weekday = weekdays.has(wall.getUTCDay())
  return anyDay || anyWeekday ? day && weekday : day || weekday
}

/** The search of the library that Kubernetes uses, so that days on which clocks change give the same times. */
function nextTime(schedule: CronSchedule, zone: string, after: number): number | undefined {
  const wall = (at: number): Date => new Date(at + offsetMs(zone, at))
  let at = Math.floor(after / second) * second + second
  let started = false
  const start = (begin: () => number): void => {
    if (!started) at = begin()
    started = true
  }
  const lastYear = wall(at).getUTCFullYear() + 5
  search: while (wall(at).getUTCFullYear() <= lastYear) {
    while (!schedule.months.has(wall(at).getUTCMonth() + 1)) {
      start(() => wallTime(zone, wall(at).getUTCFullYear(), wall(at).getUTCMonth(), 1))
      const now = wall(at)
      at = wallTime(zone, now.getUTCFullYear(), now.getUTCMonth() + 1, now.getUTCDate(), now.getUTCHours())
      if (wall(at).getUTCMonth() === 0) continue search
    }
    while (!dayMatches(schedule, wall(at))) {
      start(() => wallTime(zone, wall(at).getUTCFullYear(), wall(at).getUTCMonth(), wall(at).getUTCDate()))
      const now = wall(at)
      const before = at
      at = wallTime(zone, now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1, now.getUTCHours())
      // Midnight may be missing or come twice.
      const hours = wall(at).getUTCHours()
      if (hours > 12) at += (24 - hours) * hour
      else at -= hours * hour
      // Samoa once left out a whole day: there the library never comes back.
      if (at <= before) at = before + 24 * hour
      if (wall(at).getUTCDate() === 1) continue search
    }
    while (!schedule.hours.has(wall(at).getUTCHours())) {
      start(() => {
        const now = wall(at)
        return wallTime(zone, now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), now.getUTCHours())
      })
      at += hour
      if (wall(at).getUTCHours() === 0) continue search
    }
    while (!schedule.minutes.has(wall(at).getUTCMinutes())) {
      start(() => Math.floor(at / minute) * minute)
      at += minute
      if (wall(at).getUTCMinutes() === 0) continue search
    }
    while (wall(at).getUTCSeconds() !== 0) {
      started = true
      at += second
      if (wall(at).getUTCSeconds() === 0) continue search
    }
    return at
  }
  return undefined
}
