import { apps } from '@berth/api'
import type { Deployment, DeploymentStatus, ReplicaSet } from '@berth/api/types/apps/v1'
import { errorText, isAlreadyExists, type EventRecorder } from '@berth/kube'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import { controllerOf } from '../common/owners.ts'
import type { ControllerContext } from '../context.ts'
import { desiredReplicasAnnotation, maxReplicasAnnotation, maxRevision, newReplicaSetAnnotations, revisionAnnotation, sameAnnotations } from './annotations.ts'
import { desiredReplicas, maxSurge, setReplicas } from './replica-math.ts'
import { conditionOf, hasProgressDeadline, setCondition } from './status.ts'
import { findNewSet, newReplicaSet, oldSets, sameTemplate } from './templates.ts'

export interface DeploymentScope {
  context: ControllerContext
  recorder: EventRecorder
}

/** A Deployment's sets as a sync goes along: each write puts the answer in its place. */
export interface Sets {
  newSet: ReplicaSet | undefined
  old: ReplicaSet[]
}

export function allSets({ newSet, old }: Sets): ReplicaSet[] {
  return newSet === undefined ? old : [...old, newSet]
}

/**
 * Finds the set of the present template, creates it where `create` says so, and brings revisions and copied annotations up to date. Gives
 * the Deployment as it is after that (its revision and conditions may have changed).
 */
export async function syncRevision(scope: DeploymentScope, deployment: Deployment, sets: readonly ReplicaSet[], create: boolean): Promise<{ deployment: Deployment; sets: Sets }> {
  const found = findNewSet(deployment, sets)
  const old = oldSets(sets, found)
  const revision = maxRevision(old) + 1
  if (found !== undefined) return adjust(scope, deployment, found, old, revision)
  return create ? make(scope, deployment, old, revision) : { deployment, sets: { newSet: undefined, old } }
}

async function adjust(scope: DeploymentScope, deployment: Deployment, found: ReplicaSet, old: ReplicaSet[], revision: number): Promise<{ deployment: Deployment; sets: Sets }> {
  const { client, clock } = scope.context
  const annotations = newReplicaSetAnnotations(deployment, found.metadata.annotations ?? {}, revision, 0)
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0
  if (!sameAnnotations(found.metadata.annotations, annotations) || (found.spec.minReadySeconds ?? 0) !== minReadySeconds) {
    const newSet = await client.update(apps.replicasets, { ...found, metadata: { ...found.metadata, annotations }, spec: { ...found.spec, minReadySeconds } })
    return { deployment: await recordProgress(scope, deployment, newSet, undefined), sets: { newSet, old } }
  }
  const condition = hasProgressDeadline(deployment) && conditionOf(deployment.status, 'Progressing') === undefined
    ? setCondition(deployment.status?.conditions ?? [], { type: 'Progressing', status: 'True', reason: 'FoundNewReplicaSet', message: `Found new replica set "${found.metadata.name}"` }, clock.now()) : undefined
  return { deployment: await recordProgress(scope, deployment, found, condition), sets: { newSet: found, old } }
}

async function make(scope: DeploymentScope, deployment: Deployment, old: ReplicaSet[], revision: number): Promise<{ deployment: Deployment; sets: Sets }> {
  const { context: { client, clock }, recorder } = scope
  const wanted = newReplicaSet(deployment, old, revision)
  const conditions = deployment.status?.conditions ?? []
  let existed = false
  let newSet: ReplicaSet
  try {
    newSet = await client.create(apps.replicasets, wanted)
  } catch (error) {
    if (isAlreadyExists(error)) {
      // Ours after all, and our informer is behind; or another's: then another hash is tried.
      newSet = await client.get(apps.replicasets, wanted.metadata.name, { namespace: wanted.metadata.namespace })
      if (controllerOf(newSet)?.uid !== deployment.metadata.uid || !sameTemplate(newSet.spec.template, deployment.spec.template)) {
        await updateStatus(scope, deployment, { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 })
        throw error
      }
      existed = true
    } else {
      if (isNamespaceTerminating(error)) throw error
      const message = `Failed to create new replica set "${wanted.metadata.name}": ${errorText(error)}`
      if (hasProgressDeadline(deployment)) {
        await updateStatus(scope, deployment, { ...deployment.status, conditions: setCondition(conditions, { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message }, clock.now()) })
      }
      recorder.event(deployment, 'Warning', 'ReplicaSetCreateError', message)
      throw error
    }
  }
  const replicas = setReplicas(newSet)
  if (!existed && replicas > 0) recorder.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${newSet.metadata.name} from 0 to ${replicas}`)
  const progress = existed ? { reason: 'FoundNewReplicaSet', message: `Found new replica set "${newSet.metadata.name}"` } : { reason: 'NewReplicaSetCreated', message: `Created new replica set "${newSet.metadata.name}"` }
  const next = hasProgressDeadline(deployment) ? setCondition(conditions, { type: 'Progressing', status: 'True', ...progress }, clock.now()) : undefined
  return { deployment: await recordProgress(scope, deployment, newSet, next), sets: { newSet, old } }
}

/** Writes the set's revision to its Deployment, and its conditions where they changed. */
async function recordProgress(scope: DeploymentScope, deployment: Deployment, newSet: ReplicaSet, conditions: NonNullable<DeploymentStatus['conditions']> | undefined): Promise<Deployment> {
  let current = deployment
  const revision = newSet.metadata.annotations?.[revisionAnnotation]
  if (revision !== undefined && deployment.metadata.annotations?.[revisionAnnotation] !== revision) {
    const patch = { metadata: { resourceVersion: current.metadata.resourceVersion, annotations: { [revisionAnnotation]: revision } } }
    current = await scope.context.client.patch(apps.deployments, deployment.metadata.name, { type: 'merge', body: patch }, { namespace: deployment.metadata.namespace })
  }
  return conditions === undefined ? current : updateStatus(scope, current, { ...current.status, conditions })
}

export function updateStatus({ context: { client } }: DeploymentScope, deployment: Deployment, status: DeploymentStatus): Promise<Deployment> {
  return client.update(apps.deployments, { ...deployment, status }, { subresource: 'status' })
}

/** Gives a set a new size and the annotations that proportional scaling reads; says so in an event. */
export async function scaleSet({ context: { client }, recorder }: DeploymentScope, deployment: Deployment, sets: Sets, set: ReplicaSet, replicas: number): Promise<boolean> {
  const before = setReplicas(set)
  const annotations = {
    ...set.metadata.annotations,
    [desiredReplicasAnnotation]: String(desiredReplicas(deployment)),
    [maxReplicasAnnotation]: String(desiredReplicas(deployment) + maxSurge(deployment)),
  }
  if (before === replicas && sameAnnotations(set.metadata.annotations, annotations)) return false
  const updated = await client.update(apps.replicasets, { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } })
  if (sets.newSet?.metadata.uid === updated.metadata.uid) sets.newSet = updated
  else sets.old = sets.old.map((other) => other.metadata.uid === updated.metadata.uid ? updated : other)
  if (before === replicas) return false
  recorder.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled ${before < replicas ? 'up' : 'down'} replica set ${set.metadata.name} from ${before} to ${replicas}`)
  return true
}
