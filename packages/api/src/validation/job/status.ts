import type { Job } from '../../types/batch/v1.ts'
import { checkNonNegative, sameValue } from '../common.ts'
import { duplicate, invalid, invalidOmitted, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { toInternal } from '../internal/forms.ts'
import { countIndexes, sharedIndex } from './indexes.ts'

const holds = ({ status }: Job, type: string): boolean => status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
const isOver = (job: Job): boolean => holds(job, 'Complete') || holds(job, 'Failed')
const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed'

/** A rule is asked only when what it speaks of has changed: old jobs may break it. */
export function checkJobStatus(job: Job, old: Job): FieldError[] {
  return [...checkCounts(job), ...checkConditionPairs(job, old), ...checkTimes(job, old), ...checkFinished(job, old), ...checkIndexes(job, old), ...checkSuccess(job), ...checkTransitions(job, old)]
}

function checkCounts({ status = {} }: Job): FieldError[] {
  const seen = new Set<string>()
  const pods = (list: readonly string[] | undefined, name: string): FieldError[] => (list ?? []).flatMap((uid, i) => {
    const field = `status.uncountedTerminatedPods.${name}[${i}]`
    if (uid === '') return [invalid(field, uid, 'must not be empty')]
    if (seen.has(uid)) return [duplicate(field, uid)]
    seen.add(uid)
    return []
  })
  return [
    ...(['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((field) => checkNonNegative(`status.${field}`, status[field])),
    ...pods(status.uncountedTerminatedPods?.succeeded, 'succeeded'), ...pods(status.uncountedTerminatedPods?.failed, 'failed'),
  ]
}

const changed = (job: Job, old: Job, ...types: string[]): boolean => types.some((type) => holds(job, type) !== holds(old, type))

function checkConditionPairs(job: Job, old: Job): FieldError[] {
  const complete = holds(job, 'Complete')
  return [
    ...(changed(job, old, 'Complete', 'Failed') && complete && holds(job, 'Failed') ? [invalidOmitted('status.conditions', 'cannot set Complete=True and Failed=true conditions')] : []),
    ...(changed(job, old, 'Complete', 'FailureTarget') && complete && holds(job, 'FailureTarget')
      ? [invalidOmitted('status.conditions', 'cannot set Complete=True and FailureTarget=true conditions')] : []),
  ]
}

function checkTimes(job: Job, old: Job): FieldError[] {
  const { startTime, completionTime } = job.status ?? {}
  const field = 'status.completionTime'
  const ended = changed(job, old, 'Complete') || completionTime !== old.status?.completionTime
  const errors: FieldError[] = []
  if (ended && completionTime !== undefined && !holds(job, 'Complete')) errors.push(invalid(field, completionTime, 'cannot set completionTime when there is no Complete=True condition'))
  if (ended && completionTime === undefined && holds(job, 'Complete')) errors.push(required(field, 'completionTime is required for Complete jobs'))
  const moved = startTime !== old.status?.startTime || completionTime !== old.status?.completionTime
  if (moved && startTime !== undefined && completionTime !== undefined && Date.parse(completionTime) < Date.parse(startTime)) {
    errors.push(invalid(field, completionTime, 'must be equal to or after `startTime`'))
  }
  return errors
}

function checkFinished(job: Job, old: Job): FieldError[] {
  const { status = {}, spec } = job
  const before = old.status ?? {}
  const over = isOver(job)
  const ended = over !== isOver(old)
  const uncounted = status.uncountedTerminatedPods
  const errors: FieldError[] = []
  if ((changed(job, old, 'Failed') || status.failedIndexes !== before.failedIndexes) && holds(job, 'Failed') && !holds(job, 'FailureTarget')) {
    errors.push(invalidOmitted('status.conditions', 'cannot set Failed=True condition without the FailureTarget=true condition'))
  }
  if (changed(job, old, 'Complete', 'SuccessCriteriaMet') && holds(job, 'Complete') && !holds(job, 'SuccessCriteriaMet')) {
    errors.push(invalidOmitted('status.conditions', 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition'))
  }
  if (!over) return errors
  if ((ended || status.active !== before.active) && (status.active ?? 0) > 0) errors.push(invalid('status.active', status.active, 'active>0 is invalid for finished job'))
  const nothingToDo = spec.suspend === true && spec.completions === 0
  if ((ended || status.startTime !== before.startTime) && !nothingToDo && status.startTime === undefined) errors.push(required('status.startTime', 'startTime is required for finished job'))
  if ((ended || !sameValue(uncounted, before.uncountedTerminatedPods)) && (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0) > 0) {
    errors.push(invalid('status.uncountedTerminatedPods', toInternal('UncountedTerminatedPods', uncounted), 'must be empty for finished job'))
  }
  return errors
}

function checkIndexes(job: Job, old: Job): FieldError[] {
  const { status = {}, spec } = job
  const completed = status.completedIndexes ?? ''
  const failed = status.failedIndexes
  const completedChanged = completed !== (old.status?.completedIndexes ?? '')
  const failedChanged = failed !== old.status?.failedIndexes
  const readable = (name: 'completedIndexes' | 'failedIndexes', text: string): FieldError[] => {
    const counted = countIndexes(text, spec.completions ?? 0)
    return typeof counted === 'string' ? [invalid(`status.${name}`, text, `error parsing ${name}: ${counted}`)] : []
  }
  const errors: FieldError[] = []
  if (completedChanged && spec.completions !== undefined) errors.push(...readable('completedIndexes', completed))
  if (failedChanged && spec.completions !== undefined && spec.backoffLimitPerIndex !== undefined && failed !== undefined) errors.push(...readable('failedIndexes', failed))
  if (completedChanged && completed !== '' && !isIndexed(job)) errors.push(invalid('status.completedIndexes', completed, 'cannot set non-empty completedIndexes when non-indexed completion mode'))
  if (failedChanged && spec.backoffLimitPerIndex === undefined && failed !== undefined) {
    errors.push(invalid('status.failedIndexes', failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'))
  }
  if ((failedChanged || completedChanged) && spec.completions !== undefined && failed && completed !== '') {
    const shared = sharedIndex(completed, failed, spec.completions)
    if (shared !== undefined) errors.push(invalid('status.failedIndexes', failed, `failedIndexes and completedIndexes overlap at index: ${shared}`))
  }
  if ((isOver(job) !== isOver(old) || status.terminating !== old.status?.terminating) && isOver(job) && (status.terminating ?? 0) > 0) {
    errors.push(invalid('status.terminating', status.terminating, 'terminating>0 is invalid for finished job'))
  }
  const podsChanged = status.ready !== old.status?.ready || status.active !== old.status?.active
  if (podsChanged && status.ready !== undefined && status.ready > (status.active ?? 0)) errors.push(invalid('status.ready', status.ready, 'cannot set more ready pods than active'))
  return errors
}

function checkSuccess(job: Job): FieldError[] {
  const met = holds(job, 'SuccessCriteriaMet')
  return [
    ...(met && holds(job, 'Failed') ? [invalidOmitted('status.conditions', 'cannot set SuccessCriteriaMet=True and Failed=true conditions')] : []),
    ...(met && holds(job, 'FailureTarget') ? [invalidOmitted('status.conditions', 'cannot set SuccessCriteriaMet=True and FailureTarget=true conditions')] : []),
    ...(job.spec.successPolicy && !met && holds(job, 'Complete')
      ? [invalidOmitted('status.conditions', 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True')] : []),
  ]
}

function checkTransitions(job: Job, old: Job): FieldError[] {
  const { status = {}, spec } = job
  const before = old.status ?? {}
  const errors: FieldError[] = []
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (holds(old, type) && !holds(job, type)) errors.push(invalidOmitted('status.conditions', `cannot disable the terminal ${type}=True condition`))
  }
  if ((status.failed ?? 0) < (before.failed ?? 0)) errors.push(invalid('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'))
  // A job that is scaled down may have had more successes.
  const scalable = isIndexed(job) && spec.completions === spec.parallelism
  if (!scalable && (status.succeeded ?? 0) < (before.succeeded ?? 0)) errors.push(invalid('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter'))
  if (status.completionTime !== undefined && before.completionTime !== undefined && status.completionTime !== before.completionTime) {
    errors.push(invalid('status.completionTime', status.completionTime, 'field is immutable'))
  }
  const resuming = holds(old, 'Suspended') && (status.conditions?.some(({ type, status: value }) => type === 'Suspended' && value === 'False') ?? false)
  if (!resuming && before.startTime !== undefined && status.startTime !== before.startTime && !spec.suspend) {
    errors.push(invalid('status.startTime', status.startTime ?? null, 'field is immutable for unsuspended job once set'))
  }
  const met = holds(job, 'SuccessCriteriaMet')
  if (holds(old, 'SuccessCriteriaMet') && !met) errors.push(invalidOmitted('status.conditions', 'cannot disable the SuccessCriteriaMet=True condition'))
  if (holds(old, 'Complete') && !holds(old, 'SuccessCriteriaMet') && met) {
    errors.push(invalidOmitted('status.conditions', 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'))
  }
  return errors
}
