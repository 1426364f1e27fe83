import type { CronJob } from '@berth/api/types/batch/v1'
import type { Schedule } from './schedule.ts'

/** Added to each wait, for clocks that are not quite right. */
const deltaMs = 100
/** So many missed times are worth a warning. */
const manyTimes = 100

/** What of a schedule's times has passed without a job. */
export interface Missed {
  /** Since when times count: the last scheduled one, the cron job's making, or the starting deadline. */
  readonly since: number
  /** The last of the times that have passed; undefined for none. */
  readonly last?: number
  readonly count: 'none' | 'few' | 'many'
}

/** Looks which times have passed. A text says why there can be none. */
export function missedTimes({ metadata, spec, status }: CronJob, schedule: Schedule, now: number, withDeadline: boolean): Missed | string {
  let since = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp ?? '') || 0
  if (withDeadline && spec.startingDeadlineSeconds !== undefined) since = Math.max(since, now - spec.startingDeadlineSeconds * 1000)
  const tooDense = 'time difference between two schedules is less than 1 second'
  const first = schedule.next(since)
  if (first === undefined) return tooDense
  if (now < first) return { since, count: 'none' }
  const second = schedule.next(first)
  if (second === undefined) return tooDense
  if (now < second) return { since, last: first, count: 'none' }
  const between = Math.round((second - first) / 1000)
  if (between < 1) return tooDense
  const number = Math.floor(Math.floor((now - first) / 1000) / between) + 1
  let last: number | undefined
  // The guess is one step early, since schedules need not be regular.
  for (let time = schedule.next(first + (number - 2) * between * 1000); time !== undefined && time <= now; time = schedule.next(time)) last = time
  return { since, count: number > manyTimes ? 'many' : 'few', ...(last === undefined ? {} : { last }) }
}

/** How long until a cron job is to be looked at again; undefined where its schedule has no further time. */
export function nextLookMs(job: CronJob, schedule: Schedule, now: number): number | undefined {
  const missed = missedTimes(job, schedule, now, false)
  const from = typeof missed === 'string' ? now : missed.last ?? (missed.count === 'none' ? missed.since : now)
  const next = schedule.next(from)
  return next === undefined ? undefined : Math.max(0, next + deltaMs - now)
}
