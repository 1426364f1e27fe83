import { formatLabelSelector } from '../selectors/labels.ts'
import type { CronJob, Job } from '../types/batch/v1.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf, humanDuration, since } from './duration.ts'
import { containerCells } from './format.ts'

// A field whose type is a struct has no documentation of its own in what descriptions are read from.
const selectorColumn = {
  name: 'Selector', wide: true,
  description: 'A label query over pods that should match the pod count. Normally, the system sets this field for you. '
    + 'More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
}

/** What a job's conditions come to, the first that holds. */
function state({ metadata, status }: Job): string {
  const holds = (type: string): boolean => status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
  if (holds('Complete')) return 'Complete'
  if (holds('Failed')) return 'Failed'
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  if (holds('Suspended')) return 'Suspended'
  if (holds('FailureTarget')) return 'FailureTarget'
  return holds('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running'
}

function completions({ spec, status }: Job): string {
  const done = status?.succeeded ?? 0
  if (spec?.completions !== undefined) return `${done}/${spec.completions}`
  return (spec?.parallelism ?? 0) > 1 ? `${done}/1 of ${spec?.parallelism ?? 0}` : `${done}/1`
}

function duration({ status }: Job, now: Date): string {
  if (!status?.startTime) return ''
  return humanDuration((status.completionTime ? Date.parse(status.completionTime) : now.getTime()) - Date.parse(status.startTime))
}

export const jobTable: KindTable<Job> = {
  columns: [
    nameColumn,
    { name: 'Status', description: 'Status of the job.' },
    { name: 'Completions', description: ['batch/v1', 'JobStatus', 'succeeded'] },
    { name: 'Duration', description: 'Time required to complete the job.' },
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  cells: (job, now) => [job.metadata.name, state(job), completions(job), duration(job, now), ageOf(job, now), ...containerCells(job.spec?.template), formatLabelSelector(job.spec?.selector)],
}

export const cronJobTable: KindTable<CronJob> = {
  columns: [
    nameColumn,
    { name: 'Schedule', description: ['batch/v1', 'CronJobSpec', 'schedule'] },
    { name: 'Timezone', description: ['batch/v1', 'CronJobSpec', 'timeZone'] },
    { name: 'Suspend', type: 'boolean', description: ['batch/v1', 'CronJobSpec', 'suspend'] },
    { name: 'Active', type: 'integer', description: ['batch/v1', 'CronJobStatus', 'active'] },
    { name: 'Last Schedule', description: ['batch/v1', 'CronJobStatus', 'lastScheduleTime'] },
    ageColumn,
    containersColumn,
    imagesColumn,
    selectorColumn,
  ],
  cells(job, now) {
    const { metadata, spec, status } = job
    const template = spec?.jobTemplate?.spec
    return [
      metadata.name, spec?.schedule ?? '', spec?.timeZone ?? '<none>', spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False', status?.active?.length ?? 0,
      status?.lastScheduleTime ? since(status.lastScheduleTime, now) : '<none>', ageOf(job, now), ...containerCells(template?.template), formatLabelSelector(template?.selector),
    ]
  },
}
