import type { CronJob, CronJobSpec, Job } from '@berth/api/types/batch/v1'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { jobName, jobOf, pastHistory } from './jobs.ts'
import { missedTimes, nextLookMs } from './missed.ts'
import { scheduleOf } from './schedule.ts'
import { formatInZone, isZone, wallTime } from './zones.ts'

const iso = (at: number | undefined): string | undefined => at === undefined ? undefined : new Date(at).toISOString().replace('.000Z', 'Z')

// What github.com/robfig/cron/v3 v3.0.1 answers, on the days on which clocks change and around them.
const recorded = JSON.parse(readFileSync(new URL('recorded/next-times.json', import.meta.url), 'utf8')) as [schedule: string, zone: string, after: string, next: string[]][]

describe('the next times are those of the library that Kubernetes uses', () => {
  test.each(recorded)('%s in %s after %s', (text, zone, after, wanted) => {
    const schedule = scheduleOf(text, zone)
    const found: string[] = []
    for (let at = schedule.next(Date.parse(after)); at !== undefined && found.length < 4; at = schedule.next(at)) found.push(iso(at) ?? '')
    expect(found).toEqual(wanted)
  })
})

test('a day that a zone left out does not stop the search', () => {
  expect(iso(scheduleOf('0 0 31 12 *', 'Pacific/Apia').next(Date.parse('2011-12-29T12:00:00Z')))).toMatch(/^20/)
})

test('a clock that is put back by half an hour does not lose a week, as it does in the library', () => {
  expect(iso(scheduleOf('@weekly', 'Australia/Lord_Howe').next(Date.parse('2026-04-04T14:30:00Z')))).toBe('2026-04-11T13:30:00Z')
})

test('clocks and zones', () => {
  expect(iso(wallTime('Europe/Berlin', 2026, 6, 1, 12))).toBe('2026-07-01T10:00:00Z')
  expect(formatInZone('Asia/Kolkata', Date.parse('2026-01-01T00:00:00Z'))).toBe('2026-01-01T05:30:00+05:30')
  expect(formatInZone('America/St_Johns', Date.parse('2026-01-01T00:00:00Z'))).toBe('2025-12-31T20:30:00-03:30')
  expect(formatInZone('Europe/London', Date.parse('2026-01-01T00:00:00Z'))).toBe('2026-01-01T00:00:00Z')
  expect([isZone(''), isZone('Europe/Berlin'), isZone('Moon/Sea')]).toEqual([true, true, false])
})

function cronJob(spec: Partial<CronJobSpec> = {}, lastScheduleTime?: string): CronJob {
  return {
    metadata: { name: 'c', namespace: 'n', uid: 'u', creationTimestamp: '2026-05-19T10:00:00Z' },
    spec: { schedule: '0 * * * *', jobTemplate: { spec: { template: {} } }, ...spec }, ...(lastScheduleTime === undefined ? {} : { status: { lastScheduleTime } }),
  } as CronJob
}

describe('missed times', () => {
  const hourly = '0 * * * *'
  test.each<[what: string, schedule: string, now: string, spec: Partial<CronJobSpec>, last: string | undefined, wanted: [string | undefined, string] | string]>([
    ['just made', hourly, '2026-05-19T10:30:00Z', {}, undefined, [undefined, 'none']],
    ['one time has come', hourly, '2026-05-19T11:00:00Z', {}, undefined, ['2026-05-19T11:00:00Z', 'none']],
    ['the time is done already', hourly, '2026-05-19T11:00:10Z', {}, '2026-05-19T11:00:00Z', [undefined, 'none']],
    ['some were missed', hourly, '2026-05-19T14:00:10Z', {}, '2026-05-19T11:00:00Z', ['2026-05-19T14:00:00Z', 'few']],
    ['many were missed', hourly, '2026-05-29T14:00:10Z', {}, '2026-05-19T11:00:00Z', ['2026-05-29T14:00:00Z', 'many']],
    ['a deadline hides all but the last', hourly, '2026-05-29T14:00:10Z', { startingDeadlineSeconds: 60 }, '2026-05-19T11:00:00Z', ['2026-05-29T14:00:00Z', 'none']],
    ['a deadline hides all', hourly, '2026-05-29T14:10:00Z', { startingDeadlineSeconds: 60 }, '2026-05-19T11:00:00Z', [undefined, 'none']],
    ['an irregular schedule', '30 6-16/4 * * 1-5', '2026-05-20T09:00:00Z', {}, '2026-05-19T06:30:00Z', ['2026-05-20T06:30:00Z', 'few']],
    ['an interval', '@every 1h', '2026-05-19T13:10:00Z', {}, '2026-05-19T10:05:00Z', ['2026-05-19T13:05:00Z', 'few']],
    ['a day that never comes', '59 23 31 2 *', '2026-05-19T11:00:00Z', {}, undefined, 'time difference between two schedules is less than 1 second'],
  ])('%s', (_what, schedule, now, spec, last, wanted) => {
    const found = missedTimes(cronJob({ ...spec, schedule }, last), scheduleOf(schedule, 'UTC'), Date.parse(now), true)
    expect(typeof found === 'string' ? found : [iso(found.last), found.count]).toEqual(wanted)
  })

  test.each([
    ['2026-05-19T10:30:00Z', undefined, 1_800_100],
    ['2026-05-19T11:00:00Z', '2026-05-19T11:00:00Z', 3_600_100],
    ['2026-05-19T14:00:10Z', '2026-05-19T11:00:00Z', 3_590_100],
  ])('at %s after %s the next look is in %d ms', (now, last, wanted) => {
    expect(nextLookMs(cronJob({}, last), scheduleOf(hourly, 'UTC'), Date.parse(now))).toBe(wanted)
  })

  test('a schedule without times has no next look', () => {
    expect(nextLookMs(cronJob(), scheduleOf('0 0 31 2 *', 'UTC'), Date.parse('2026-05-19T11:00:00Z'))).toBeUndefined()
  })
})

test('a job has the name and the mark of its time', () => {
  const job = cronJob({ timeZone: 'America/New_York', jobTemplate: { metadata: { name: '', labels: { a: 'b' }, annotations: { x: 'y' } }, spec: { template: {}, parallelism: 2 } } as CronJobSpec['jobTemplate'] })
  const at = Date.parse('2026-05-19T11:00:00Z')
  expect(jobName(job, at)).toBe('c-29653140')
  expect(jobOf(job, at)).toMatchObject({
    metadata: { name: 'c-29653140', namespace: 'n', labels: { a: 'b' }, annotations: { x: 'y', 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-05-19T07:00:00-04:00' }, ownerReferences: [{ kind: 'CronJob', name: 'c', uid: 'u', controller: true }] },
    spec: { parallelism: 2 },
  })
})

test('the oldest finished jobs go, of each sort beyond its limit', () => {
  const ended = (name: string, type: string, startTime?: string): Job => ({ metadata: { name }, spec: { template: {} }, status: { ...(startTime === undefined ? {} : { startTime }), conditions: [{ type, status: 'True' }] } }) as Job
  const jobs = [ended('s3', 'Complete', '2026-01-03T00:00:00Z'), ended('s1', 'Complete', '2026-01-01T00:00:00Z'), ended('s2', 'Complete', '2026-01-02T00:00:00Z'), ended('f2', 'Failed'), ended('f1', 'Failed', '2026-01-01T00:00:00Z'), ended('r', 'Suspended')]
  const names = (spec: Partial<CronJobSpec>): string[] => pastHistory(cronJob(spec), jobs).map(({ metadata }) => metadata.name)
  expect(names({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1 })).toEqual(['s1', 's2', 'f1'])
  expect(names({ successfulJobsHistoryLimit: 0 })).toEqual(['s1', 's2', 's3'])
  expect(names({})).toEqual([])
})
