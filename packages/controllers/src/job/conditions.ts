import type { Job, JobCondition } from '@berth/api/types/batch/v1'
import { wireTime } from '../common/pods.ts'

export function condition(type: string, status: 'True' | 'False', reason: string, message: string, now: number): JobCondition {
  const time = wireTime(now)
  return { type, status, reason, message, lastProbeTime: time, lastTransitionTime: time }
}

export function conditionOf({ status }: Pick<Job, 'status'>, type: string): JobCondition | undefined {
  return (status?.conditions ?? []).find((found) => found.type === type)
}

const isTrue = (job: Job, type: string): boolean => conditionOf(job, type)?.status === 'True'

/** Complete or Failed: nothing more happens to the job. */
export function isFinished(job: Job): boolean {
  return isTrue(job, 'Complete') || isTrue(job, 'Failed')
}

/** When a job finished; undefined for one that has not. */
export function finishTime(job: Job): number | undefined {
  const found = ['Complete', 'Failed'].map((type) => conditionOf(job, type)).find((each) => each?.status === 'True')
  return found?.lastTransitionTime === undefined ? undefined : Date.parse(found.lastTransitionTime)
}

/** The list with a condition as given, and whether that changed anything. A condition that was never there does not become False. */
export function withCondition(list: readonly JobCondition[], wanted: JobCondition): { conditions: JobCondition[]; changed: boolean } {
  const known = list.find(({ type }) => type === wanted.type)
  if (!known) return wanted.status === 'False' ? { conditions: [...list], changed: false } : { conditions: [...list, wanted], changed: true }
  if (known.status === wanted.status && known.reason === wanted.reason && known.message === wanted.message) return { conditions: [...list], changed: false }
  return { conditions: list.map((each) => each === known ? wanted : each), changed: true }
}
