import { batch } from '@berth/api'
import type { CronJob, CronJobStatus, Job } from '@berth/api/types/batch/v1'
import { errorText, isAlreadyExists, isNotFound, type EventRecorder, type Informer } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import type { ControllerContext } from '../context.ts'
import { endOfJob, jobName, jobOf, pastHistory, referenceTo } from './jobs.ts'
import { missedTimes, nextLookMs } from './missed.ts'
import { scheduleOf, type Schedule } from './schedule.ts'
import { isZone, localZone } from './zones.ts'

export interface CronJobScope {
  readonly context: ControllerContext
  readonly cronJobs: Informer<CronJob>
  readonly jobs: Informer<Job>
  readonly recorder: EventRecorder
}

/** A cron job while it is looked at; its status grows and is written once. */
interface Look {
  cronJob: CronJob
  readonly jobs: readonly Job[]
  readonly now: number
  changed: boolean
}

const statusOf = (look: Look): CronJobStatus => look.cronJob.status ?? {}

function setStatus(look: Look, status: CronJobStatus): void {
  look.cronJob = { ...look.cronJob, status: { ...statusOf(look), ...status } }
  look.changed = true
}

const isActive = ({ status }: CronJob, uid: string | undefined): boolean => (status?.active ?? []).some((reference) => reference.uid === uid)

function dropActive(look: Look, uid: string | undefined): void {
  setStatus(look, { active: (statusOf(look).active ?? []).filter((reference) => reference.uid !== uid) })
}

/** Brings a cron job to what it should be; gives after how long it is to be looked at again. */
export async function syncCronJob(scope: CronJobScope, key: string): Promise<number | undefined> {
  const { context: { client, clock }, cronJobs, jobs } = scope
  const cronJob = cronJobs.store.get(key)
  if (cronJob === undefined) return undefined
  const look: Look = { cronJob, jobs: jobs.store.byIndex('controller', cronJob.metadata.uid ?? ''), now: clock.now(), changed: false }
  for (const job of pastHistory(cronJob, look.jobs)) await deleteJob(scope, look, job)
  let again: number | undefined
  let failure: unknown
  try {
    await readJobs(scope, look)
    again = await start(scope, look)
  } catch (error) {
    failure = error
  }
  // What was seen before the failure is kept.
  if (look.changed) await client.update(batch.cronjobs, look.cronJob, { subresource: 'status' })
  if (failure !== undefined) throw failure
  return again
}

/** Takes what has become of the jobs into the status. */
async function readJobs({ context: { client }, recorder }: CronJobScope, look: Look): Promise<void> {
  const { name, namespace } = look.cronJob.metadata
  for (const job of look.jobs) {
    const known = isActive(look.cronJob, job.metadata.uid)
    const end = endOfJob(job)
    if (end === undefined && !known) {
      const fresh = await client.get(batch.cronjobs, name, { namespace })
      if (isActive(fresh, job.metadata.uid)) look.cronJob = fresh
      else recorder.event(look.cronJob, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${job.metadata.name}`)
    } else if (end !== undefined) {
      if (known) {
        dropActive(look, job.metadata.uid)
        recorder.event(look.cronJob, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name}, condition: ${end}`)
      }
      const completed = job.status?.completionTime
      const last = statusOf(look).lastSuccessfulTime
      if (end === 'Complete' && completed !== undefined && (last === undefined || Date.parse(completed) > Date.parse(last))) setStatus(look, { lastSuccessfulTime: completed })
    }
  }
  const children = new Set(look.jobs.map(({ metadata }) => metadata.uid))
  for (const reference of statusOf(look).active ?? []) {
    if (children.has(reference.uid)) continue
    const found = await client.get(batch.jobs, reference.name ?? '', { namespace: reference.namespace }).catch(ignore(isNotFound))
    if (found !== undefined) continue
    recorder.event(look.cronJob, 'Normal', 'MissingJob', `Active job went missing: ${reference.name}`)
    dropActive(look, reference.uid)
  }
}

async function deleteJob({ context: { client }, recorder }: CronJobScope, look: Look, { metadata }: Job): Promise<boolean> {
  try {
    await client.delete(batch.jobs, metadata.name, { namespace: metadata.namespace, propagationPolicy: 'Background' })
  } catch (error) {
    recorder.event(look.cronJob, 'Warning', 'FailedDelete', `Deleted job: ${errorText(error)}`)
    return false
  }
  if (isActive(look.cronJob, metadata.uid)) dropActive(look, metadata.uid)
  recorder.event(look.cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${metadata.name}`)
  return true
}

/** The schedule of a cron job; undefined, with an event, where it cannot be read. */
export function readSchedule({ recorder }: Pick<CronJobScope, 'recorder'>, cronJob: CronJob, unreadable: (error: unknown) => readonly [reason: string, message: string]): Schedule | undefined {
  const { schedule, timeZone } = cronJob.spec
  if (schedule.includes('TZ')) {
    const more = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/'
    recorder.event(cronJob, 'Warning', 'UnsupportedSchedule', `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, see ${more} for more details`)
  }
  try {
    return scheduleOf(schedule, timeZone ?? localZone())
  } catch (error) {
    const [reason, message] = unreadable(error)
    recorder.event(cronJob, 'Warning', reason, message)
    return undefined
  }
}

const httpDate = (at: number): string => new Date(at).toUTCString().replace('GMT', '+0000')

/** Makes the job of the last time that has passed, where that is still to be done. */
async function start(scope: CronJobScope, look: Look): Promise<number | undefined> {
  const { recorder } = scope
  const { cronJob, now } = look
  const { spec, metadata } = cronJob
  if (metadata.deletionTimestamp !== undefined) return undefined
  if (spec.timeZone !== undefined && !isZone(spec.timeZone)) {
    recorder.event(cronJob, 'Warning', 'UnknownTimeZone', `invalid timeZone: ${JSON.stringify(spec.timeZone)}: unknown time zone ${spec.timeZone}`)
    return undefined
  }
  if (spec.suspend === true) return undefined
  const schedule = readSchedule(scope, cronJob, (error) => ['UnparseableSchedule', `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${errorText(error)}`])
  if (!schedule) return undefined
  const missed = missedTimes(cronJob, schedule, now, true)
  if (typeof missed === 'string') {
    recorder.event(cronJob, 'Warning', 'InvalidSchedule', `invalid schedule: ${spec.schedule} : ${missed}`)
    return undefined
  }
  const { last } = missed
  const again = (): number | undefined => nextLookMs(look.cronJob, schedule, now)
  if (last === undefined) return again()
  if (missed.count === 'many') recorder.event(cronJob, 'Warning', 'TooManyMissedTimes', 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew')
  if (spec.startingDeadlineSeconds !== undefined && last + spec.startingDeadlineSeconds * 1000 < now) {
    recorder.event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${httpDate(last)}`)
    return again()
  }
  const active = statusOf(look).active ?? []
  const { lastScheduleTime } = statusOf(look)
  if (active.some(({ name }) => name === jobName(cronJob, last)) || lastScheduleTime !== undefined && Date.parse(lastScheduleTime) === last) return again()
  if (spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
    recorder.event(cronJob, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid')
    return again()
  }
  if (spec.concurrencyPolicy === 'Replace') for (const { name = '', namespace } of active) await replace(scope, look, name, namespace)
  const made = await createJob(scope, look, last)
  if (!made) return undefined
  setStatus(look, { active: [...statusOf(look).active ?? [], referenceTo(made)], lastScheduleTime: new Date(last).toISOString().replace(/\.\d+Z$/, 'Z') })
  return again()
}

async function replace(scope: CronJobScope, look: Look, name: string, namespace: string | undefined): Promise<void> {
  const { context: { client }, recorder } = scope
  let job: Job
  try {
    job = await client.get(batch.jobs, name, { namespace })
  } catch (error) {
    recorder.event(look.cronJob, 'Warning', 'FailedGet', `Get job: ${errorText(error)}`)
    throw error
  }
  if (!await deleteJob(scope, look, job)) throw new Error(`could not replace job ${namespace}/${name}`)
}

/** The job for a time, made now or by an earlier look whose word got lost; undefined where it is none of ours or known already. */
async function createJob({ context: { client }, recorder }: CronJobScope, look: Look, scheduled: number): Promise<Job | undefined> {
  const wanted = jobOf(look.cronJob, scheduled)
  try {
    const made = await client.create(batch.jobs, wanted)
    recorder.event(look.cronJob, 'Normal', 'SuccessfulCreate', `Created job ${made.metadata.name}`)
    return made
  } catch (error) {
    if (isNamespaceTerminating(error)) throw error
    if (!isAlreadyExists(error)) {
      recorder.event(look.cronJob, 'Warning', 'FailedCreate', `Error creating job: ${errorText(error)}`)
      throw error
    }
    const found = await client.get(batch.jobs, wanted.metadata.name, { namespace: wanted.metadata.namespace })
    const isOurs = (found.metadata.ownerReferences ?? []).some(({ uid, controller }) => controller === true && uid === look.cronJob.metadata.uid)
    return isOurs && !isActive(look.cronJob, found.metadata.uid) ? found : undefined
  }
}
