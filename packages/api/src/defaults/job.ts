import type { CronJob, Job, JobSpec } from '../types/batch/v1.ts'
import { defaultPodTemplate } from './pod/spec.ts'

/** What a job's failure rules and pods leave out, in jobs and in templates of jobs. */
function defaultJobTemplate(spec: JobSpec): void {
  spec.template ??= {}
  defaultPodTemplate(spec.template)
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const pattern of rule.onPodConditions ?? []) pattern.status ||= 'True'
}

export function defaultJob(job: Job): void {
  const spec = (job.spec ??= { template: {} })
  if (spec.parallelism === undefined) {
    spec.completions ??= 1
    spec.parallelism = 1
  }
  // Retries of each index replace those of the whole job.
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647
  const labels = spec.template?.metadata?.labels
  const meta = (job.metadata ??= { name: '' })
  if (labels && Object.keys(meta.labels ?? {}).length === 0 && Object.keys(labels).length > 0) meta.labels = { ...labels }
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  spec.manualSelector ??= false
  defaultJobTemplate(spec)
}

export function defaultCronJob(job: CronJob): void {
  const spec = (job.spec ??= { schedule: '', jobTemplate: {} })
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
  spec.jobTemplate ??= {}
  spec.jobTemplate.spec ??= { template: {} }
  defaultJobTemplate(spec.jobTemplate.spec)
}
