import type { HorizontalPodAutoscalerCondition } from '@berth/api/types/autoscaling/v2'
import { wireTime } from '../common/pods.ts'
import type { Said } from './behavior.ts'

export type ConditionType = 'AbleToScale' | 'ScalingActive' | 'ScalingLimited' | 'ScaledToZero'

/** The conditions with one of them set; its time is that of the last change of its status. */
export function withCondition(conditions: readonly HorizontalPodAutoscalerCondition[], type: ConditionType, isTrue: boolean, { reason, message }: Said, now: number): HorizontalPodAutoscalerCondition[] {
  const status = isTrue ? 'True' : 'False'
  const known = conditions.find((condition) => condition.type === type)
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : wireTime(now)
  const next: HorizontalPodAutoscalerCondition = { type, status, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }), reason, message }
  return known ? conditions.map((condition) => (condition === known ? next : condition)) : [...conditions, next]
}

export function isTrue(conditions: readonly HorizontalPodAutoscalerCondition[], type: ConditionType): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True')
}
