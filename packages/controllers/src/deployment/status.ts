import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '@berth/api/types/apps/v1'
import { wireTime } from '../common/pods.ts'
import { desiredReplicas, maxUnavailable, setReplicas, sum } from './replica-math.ts'

/** The greatest progressDeadlineSeconds, which means none. */
const noDeadline = 2147483647

export function hasProgressDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec.progressDeadlineSeconds
  return seconds !== undefined && seconds !== noDeadline
}

export function conditionOf(status: DeploymentStatus | undefined, type: string): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

/** Conditions with one set: unchanged where its status and reason are as they were; its transition time moves only with its status. */
export function setCondition(conditions: readonly DeploymentCondition[], next: Omit<DeploymentCondition, 'lastTransitionTime' | 'lastUpdateTime'>, now: number): DeploymentCondition[] {
  const known = conditions.find((condition) => condition.type === next.type)
  if (known !== undefined && known.status === next.status && known.reason === next.reason) return [...conditions]
  return replaceCondition(conditions, next, now)
}

/** As {@link setCondition}, but always updated. */
export function replaceCondition(conditions: readonly DeploymentCondition[], next: Omit<DeploymentCondition, 'lastTransitionTime' | 'lastUpdateTime'>, now: number): DeploymentCondition[] {
  const known = conditions.find((condition) => condition.type === next.type)
  const time = wireTime(now)
  const lastTransitionTime = known !== undefined && known.status === next.status ? known.lastTransitionTime ?? time : time
  return [...conditions.filter((condition) => condition.type !== next.type), { type: next.type, status: next.status, lastUpdateTime: time, lastTransitionTime, reason: next.reason, message: next.message }]
}

/** Counts of a Deployment's sets, and whether it has its minimum of available pods. */
export function baseStatus(deployment: Deployment, all: readonly ReplicaSet[], newSet: ReplicaSet | undefined, now: number): DeploymentStatus {
  const available = sum(all, (set) => set.status?.availableReplicas)
  const enough = available >= desiredReplicas(deployment) - maxUnavailable(deployment)
  const conditions = setCondition(deployment.status?.conditions ?? [], enough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }, now)
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(all, (set) => set.status?.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum(all, (set) => set.status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, setReplicas) - available),
    terminatingReplicas: sum(all, (set) => set.status?.terminatingReplicas),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions,
  }
}

/** All wanted pods are of the new template and available, and no old ones are left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = desiredReplicas(deployment)
  return (status.updatedReplicas ?? 0) === wanted && (status.replicas ?? 0) === wanted && (status.availableReplicas ?? 0) === wanted
    && (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
}

function isProgressing(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0)
  return (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) || old(now) < old(before)
    || (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) || (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
}

/** Milliseconds until the progress deadline; undefined where the Deployment is not waiting for progress. */
export function untilDeadline(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const condition = conditionOf(status, 'Progressing')
  if (!hasProgressDeadline(deployment) || condition === undefined || isComplete(deployment, status)) return undefined
  if (condition.reason === 'NewReplicaSetAvailable' || condition.reason === 'ProgressDeadlineExceeded') return undefined
  return Date.parse(condition.lastUpdateTime ?? '') + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 - now
}

/** The status while a rollout goes on: {@link baseStatus} with Progressing and ReplicaFailure, in upstream's words. */
export function rolloutStatus(deployment: Deployment, all: readonly ReplicaSet[], newSet: ReplicaSet | undefined, now: number): DeploymentStatus {
  const status = baseStatus(deployment, all, newSet, now)
  let conditions = status.conditions ?? []
  const before = conditionOf(deployment.status, 'Progressing')
  const subject = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`
  if (!hasProgressDeadline(deployment)) conditions = conditions.filter((condition) => condition.type !== 'Progressing')
  const wasComplete = status.replicas === status.updatedReplicas && before?.reason === 'NewReplicaSetAvailable'
  if (hasProgressDeadline(deployment) && !wasComplete) {
    if (isComplete(deployment, status)) {
      conditions = setCondition(conditions, { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message: `${subject} has successfully progressed.` }, now)
    } else if (isProgressing(deployment.status ?? {}, status)) {
      conditions = replaceCondition(conditions, { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: `${subject} is progressing.` }, now)
    } else if ((untilDeadline(deployment, { ...status, conditions }, now) ?? 1) < 0) {
      conditions = setCondition(conditions, { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: `${subject} has timed out progressing.` }, now)
    }
  }
  const failure = failureOf(all, newSet)
  conditions = failure === undefined ? conditions.filter((condition) => condition.type !== 'ReplicaFailure') : setCondition(conditions, failure, now)
  return { ...status, conditions }
}

/** The failure of the new set, else of any other. */
function failureOf(all: readonly ReplicaSet[], newSet: ReplicaSet | undefined): DeploymentCondition | undefined {
  for (const set of [newSet, ...all]) {
    const found = set?.status?.conditions?.find((condition) => condition.type === 'ReplicaFailure')
    if (found !== undefined) return { type: 'ReplicaFailure', status: found.status, reason: found.reason, message: found.message }
  }
  return undefined
}

/** Whether two statuses say the same; absent numbers are zero. */
export function sameDeploymentStatus(a: DeploymentStatus | undefined, b: DeploymentStatus): boolean {
  const numbers = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas', 'terminatingReplicas', 'observedGeneration', 'collisionCount'] as const
  const text = (status: DeploymentStatus | undefined): string => JSON.stringify((status?.conditions ?? []).map((c) => [c.type, c.status, c.reason, c.message, c.lastUpdateTime, c.lastTransitionTime]).toSorted())
  return numbers.every((name) => (a?.[name] ?? 0) === (b[name] ?? 0)) && text(a) === text(b)
}
