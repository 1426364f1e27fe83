import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { isPodAvailable, isPodReady, wireTime } from '../common/pods.ts'

/** What went wrong when pods were to be made (`FailedCreate`) or removed (`FailedDelete`). */
export interface ManageFailure {
  reason: 'FailedCreate' | 'FailedDelete'
  message: string
}

/** The status of a ReplicaSet with these active and terminating pods. */
export function replicaSetStatus(set: ReplicaSet, active: readonly Pod[], terminating: number, failure: ManageFailure | undefined, now: number): ReplicaSetStatus {
  const templateLabels = Object.entries(set.spec.template?.metadata?.labels ?? {})
  const ready = active.filter(isPodReady)
  const conditions = withFailure(set.status?.conditions ?? [], failure, now)
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value)).length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, set.spec.minReadySeconds ?? 0, now)).length,
    terminatingReplicas: terminating,
    observedGeneration: set.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  }
}

function withFailure(conditions: readonly ReplicaSetCondition[], failure: ManageFailure | undefined, now: number): ReplicaSetCondition[] {
  const known = conditions.find((condition) => condition.type === 'ReplicaFailure')
  const others = conditions.filter((condition) => condition.type !== 'ReplicaFailure')
  if (failure === undefined) return others
  if (known !== undefined) return [...conditions]
  return [...others, { type: 'ReplicaFailure', status: 'True', lastTransitionTime: wireTime(now), ...failure }]
}

/** Whether two statuses say the same; absent numbers are zero. */
export function sameStatus(a: ReplicaSetStatus | undefined, b: ReplicaSetStatus): boolean {
  const numbers = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'terminatingReplicas', 'observedGeneration'] as const
  return numbers.every((name) => (a?.[name] ?? 0) === (b[name] ?? 0)) && JSON.stringify(a?.conditions ?? []) === JSON.stringify(b.conditions ?? [])
}

/** When the first pod that is ready and not yet available becomes it: milliseconds from now; undefined where none will. */
export function nextAvailability(set: ReplicaSet, active: readonly Pod[], now: number): number | undefined {
  const minReadyMs = (set.spec.minReadySeconds ?? 0) * 1000
  if (minReadyMs === 0) return undefined
  const waits = active.filter((pod) => isPodReady(pod) && !isPodAvailable(pod, minReadyMs / 1000, now)).map((pod) => {
    const since = pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.lastTransitionTime
    return since === undefined ? minReadyMs : Date.parse(since) + minReadyMs - now
  })
  return waits.length === 0 ? undefined : Math.max(Math.min(...waits), 0) + 1
}
