import type { CronJob } from '../types/batch/v1.ts'
import { CronError, isTimeZone, parseCron } from '../cron/parse.ts'
import { checkNonNegative, textOf } from './common.ts'
import { invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { checkJobSpec } from './job/spec.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

/** The name of a job is the cron job's with eleven characters more. */
const nameLength = 52

function checkSchedule({ spec }: CronJob, old: CronJob | undefined): FieldError[] {
  const schedule = textOf(spec.schedule)
  const field = 'spec.schedule'
  if (schedule === '') return [required(field)]
  const errors: FieldError[] = []
  try {
    parseCron(schedule)
  } catch (error) {
    if (!(error instanceof CronError)) throw error
    errors.push(invalid(field, schedule, error.message))
  }
  if (!schedule.includes('TZ')) return errors
  const allowed = old?.spec.schedule?.includes('TZ') ?? false
  if (!allowed) errors.push(invalid(field, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'))
  else if (spec.timeZone !== undefined) errors.push(invalid(field, schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule'))
  return errors
}

function checkTimeZone(zone: string | undefined): FieldError[] {
  const field = 'spec.timeZone'
  if (zone === undefined) return []
  if (zone === '') return [invalid(field, zone, 'timeZone must be nil or non-empty string')]
  const unknown = invalid(field, zone, `unknown time zone ${zone}`)
  if (zone.split('/').some((part) => part === '.' || part === '..' || part.startsWith('-') || !/^[A-Za-z.\-_0-9+]{1,14}$/.test(part))) return [unknown]
  if (zone.toLowerCase() === 'local') return [invalid(field, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')]
  return isTimeZone(zone) ? [] : [unknown]
}

function checkSpec(job: CronJob, old: CronJob | undefined, allowPrivileged: boolean): FieldError[] {
  const { spec } = job
  const policy = textOf(spec.concurrencyPolicy)
  const policies = ['Allow', 'Forbid', 'Replace']
  const template = spec.jobTemplate?.spec ?? { template: {} }
  return [
    ...checkSchedule(job, old),
    ...checkNonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...(old && old.spec.timeZone === spec.timeZone ? [] : checkTimeZone(spec.timeZone)),
    ...(policy === '' ? [required('spec.concurrencyPolicy')] : policies.includes(policy) ? [] : [notSupported('spec.concurrencyPolicy', policy, policies)]),
    ...checkJobSpec(template, 'spec.jobTemplate.spec', allowPrivileged),
    ...(template.selector ? [invalid('spec.jobTemplate.spec.selector', template.selector, '`selector` will be auto-generated')] : []),
    ...(template.manualSelector ? [notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false'])] : []),
    ...checkNonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...checkNonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ]
}

export const cronJobValidation: KindValidation<CronJob> = {
  namespaced: true,
  create: (job, { allowPrivileged }) => [
    ...checkMeta(job.metadata, true, nameIsDnsSubdomain),
    ...checkSpec(job, undefined, allowPrivileged),
    ...(textOf(job.metadata.name).length > nameLength ? [invalid('metadata.name', job.metadata.name, `must be no more than ${nameLength} characters`)] : []),
  ],
  update: (job, old, subresource, { allowPrivileged }) => (subresource === 'status' ? [] : [...checkMetaUpdate(job.metadata, old.metadata), ...checkSpec(job, old, allowPrivileged)]),
}
