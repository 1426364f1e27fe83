import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'

// Upstream's annotations (pkg/controller/deployment/util).
export const revisionAnnotation = 'deployment.kubernetes.io/revision'
export const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history'
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas'
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas'

/** Annotations of a Deployment that do not go to its ReplicaSets. */
const notCopied = new Set(['kubectl.kubernetes.io/last-applied-configuration', revisionAnnotation, revisionHistoryAnnotation, desiredReplicasAnnotation, maxReplicasAnnotation, 'deprecated.deployment.rollback.to'])
const historyLimit = 2000

/** A set's revision; 0 where it has none. */
export function revisionOf(object: { metadata: { annotations?: Record<string, string> } }): number {
  const text = object.metadata.annotations?.[revisionAnnotation] ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}

export function maxRevision(sets: readonly ReplicaSet[]): number {
  return Math.max(0, ...sets.map(revisionOf))
}

/** The annotations of a Deployment's new ReplicaSet at `revision`; `known` are those that it has, where it exists already. */
export function newReplicaSetAnnotations(deployment: Deployment, known: Readonly<Record<string, string>> | undefined, revision: number, maxReplicas: number): Record<string, string> {
  const annotations: Record<string, string> = { ...known }
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!notCopied.has(key)) annotations[key] = value
  const old = annotations[revisionAnnotation] ?? ''
  const oldNumber = old === '' ? 0 : /^\d+$/.test(old) ? Number(old) : undefined
  if (oldNumber !== undefined && oldNumber < revision) {
    annotations[revisionAnnotation] = String(revision)
    // Coming back to an old template: the revision it had goes to its history.
    if (oldNumber > 0) annotations[revisionHistoryAnnotation] = appendHistory(annotations[revisionHistoryAnnotation], old)
  }
  if (known === undefined) {
    annotations[desiredReplicasAnnotation] = String(deployment.spec.replicas ?? 1)
    annotations[maxReplicasAnnotation] = String(maxReplicas)
  }
  return annotations
}

function appendHistory(history: string | undefined, revision: string): string {
  const revisions = [...(history === undefined || history === '' ? [] : history.split(',')), revision]
  while (revisions.length > 1 && revisions.join(',').length > historyLimit) revisions.shift()
  return revisions.join(',')
}

export function numberAnnotation(set: ReplicaSet, name: string): number | undefined {
  const text = set.metadata.annotations?.[name]
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined
}

export function sameAnnotations(a: Readonly<Record<string, string>> | undefined, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(b)
  return keys.length === Object.keys(a ?? {}).length && keys.every((key) => a?.[key] === b[key])
}
