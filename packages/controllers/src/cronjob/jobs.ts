import { batch } from '@berth/api'
import type { CronJob, Job } from '@berth/api/types/batch/v1'
import type { ObjectReference } from '@berth/api/types/core/v1'
import { controllerReference } from '../common/owners.ts'
import { conditionOf } from '../job/conditions.ts'
import { formatInZone } from './zones.ts'

const scheduledKey = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** The name of the job for a time: each time has one, so that no job is made twice. */
export function jobName({ metadata }: CronJob, scheduled: number): string {
  return `${metadata.name}-${Math.floor(scheduled / 60_000)}`
}

export function jobOf(cronJob: CronJob, scheduled: number): Job {
  const { metadata = { name: '' }, spec } = cronJob.spec.jobTemplate
  const labels = { ...metadata.labels }
  return {
    apiVersion: 'batch/v1', kind: 'Job',
    metadata: {
      name: jobName(cronJob, scheduled), namespace: cronJob.metadata.namespace, ownerReferences: [controllerReference(cronJob, batch.cronjobs)],
      annotations: { ...metadata.annotations, [scheduledKey]: formatInZone(cronJob.spec.timeZone ?? 'UTC', scheduled) },
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
    spec: structuredClone(spec ?? { template: {} }),
  }
}

export function referenceTo({ metadata }: Job): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata
  return { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion }
}

/** How a job ended; undefined for one that has not. */
export function endOfJob(job: Job): 'Complete' | 'Failed' | undefined {
  return (['Complete', 'Failed'] as const).find((type) => conditionOf(job, type)?.status === 'True')
}

/** The finished jobs beyond the numbers that are to be kept, the oldest of each sort. */
export function pastHistory({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const beyond = (end: 'Complete' | 'Failed', limit: number | undefined): Job[] => {
    if (limit === undefined) return []
    const ended = jobs.filter((job) => endOfJob(job) === end).sort(byStart)
    return ended.slice(0, Math.max(0, ended.length - limit))
  }
  return [...beyond('Complete', spec.successfulJobsHistoryLimit), ...beyond('Failed', spec.failedJobsHistoryLimit)]
}

/** Those that never started come last. */
function byStart(a: Job, b: Job): number {
  const start = ({ status }: Job): number => status?.startTime === undefined ? Infinity : Date.parse(status.startTime)
  return start(a) === start(b) ? (a.metadata.name < b.metadata.name ? -1 : 1) : start(a) - start(b)
}
