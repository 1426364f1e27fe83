import { apps, core } from '@berth/api'
import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound, keyOf, labelSelectorMatcher, type Informer, type WorkQueue } from '@berth/kube'
import { claimObjects, ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { controllerIndex, controllerOf, orphansOf } from '../common/owners.ts'
import { isPodTerminal } from '../common/pods.ts'
import type { Controller } from '../context.ts'
import { desiredReplicasAnnotation, numberAnnotation, revisionOf } from './annotations.ts'
import { byCreation, desiredReplicas, isActive, isRollingUpdate, newSetReplicas, proportionalSizes, setReplicas, shrinkOldSets } from './replica-math.ts'
import { allSets, scaleSet, syncRevision, updateStatus, type DeploymentScope, type Sets } from './replica-sets.ts'
import { baseStatus, conditionOf, hasProgressDeadline, isComplete, rolloutStatus, sameDeploymentStatus, setCondition, untilDeadline } from './status.ts'
import { findNewSet, oldSets } from './templates.ts'

/** Rolls Deployments out over ReplicaSets. */
export const deploymentController: Controller = {
  name: 'deployment-controller',
  async run(context) {
    const byNamespace = { namespace: (object: { metadata: { namespace?: string } }): string[] => [object.metadata.namespace ?? ''] }
    const deployments = context.informers.for(apps.deployments, { indexers: byNamespace })
    const sets = context.informers.for(apps.replicasets, { indexers: { controller: controllerIndex } })
    const pods = context.informers.for(core.pods, { indexers: { controller: controllerIndex } })
    const recorder = context.recorder('deployment-controller')
    const frame = keyedController({
      name: 'deployment', workers: context.settings.concurrentDeploymentSyncs, context, informers: [deployments, sets, pods],
      sync: (key, queue) => sync({ context, recorder, deployments, sets, pods, queue }, key),
    })
    const off = watch(deployments, sets, pods, frame.queue)
    await frame.run()
    for (const remove of off) remove()
  },
}

interface Scope extends DeploymentScope {
  deployments: Informer<Deployment>
  sets: Informer<ReplicaSet>
  pods: Informer<Pod>
  queue: WorkQueue
}

function watch(deployments: Informer<Deployment>, sets: Informer<ReplicaSet>, pods: Informer<Pod>, queue: WorkQueue): (() => void)[] {
  const ownerOf = (set: ReplicaSet): Deployment | undefined => {
    const reference = controllerOf(set)
    if (reference?.kind !== 'Deployment') return undefined
    const found = deployments.store.get(keyOf({ metadata: { name: reference.name, namespace: set.metadata.namespace } }))
    return found?.metadata.uid === reference.uid ? found : undefined
  }
  const offer = (set: ReplicaSet): void => {
    const owner = ownerOf(set)
    if (owner !== undefined) return queue.add(keyOf(owner))
    if (controllerOf(set) !== undefined || set.metadata.deletionTimestamp !== undefined) return
    for (const candidate of deployments.store.byIndex('namespace', set.metadata.namespace ?? '')) if (labelSelectorMatcher(candidate.spec.selector)(set.metadata.labels)) queue.add(keyOf(candidate))
  }
  const enqueue = (deployment: Deployment): void => queue.add(keyOf(deployment))
  return [
    deployments.on({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue }),
    sets.on({
      added: offer,
      updated(old, now) {
        if (controllerOf(old)?.uid !== controllerOf(now)?.uid) offer(old)
        offer(now)
      },
      deleted: offer,
    }),
    // Recreate waits for the last old pod to be gone.
    pods.on({ deleted(pod) {
      const set = controllerOf(pod)
      const owner = set === undefined ? undefined : sets.store.get(keyOf({ metadata: { name: set.name, namespace: pod.metadata.namespace } }))
      const deployment = owner === undefined ? undefined : ownerOf(owner)
      if (deployment !== undefined && !isRollingUpdate(deployment)) enqueue(deployment)
    } }),
  ]
}

async function sync(scope: Scope, key: string): Promise<void> {
  const { context: { client }, recorder } = scope
  let deployment = scope.deployments.store.get(key)
  if (deployment === undefined) return
  const { selector } = deployment.spec
  if (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0) {
    recorder.event(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
    const { generation = 0 } = deployment.metadata
    if ((deployment.status?.observedGeneration ?? 0) < generation) await updateStatus(scope, deployment, { ...deployment.status, observedGeneration: generation })
    return
  }
  const namespace = deployment.metadata.namespace ?? ''
  const matches = labelSelectorMatcher(selector)
  const candidates = [...scope.sets.store.byIndex('controller', deployment.metadata.uid ?? ''), ...scope.sets.store.byIndex('controller', orphansOf(namespace))]
  const own = await claimObjects({ client, owner: deployment, ownerResource: apps.deployments, resource: apps.replicasets, objects: candidates, matches: (set) => matches(set.metadata.labels) })

  try {
    if (deployment.metadata.deletionTimestamp !== undefined) {
      const newSet = findNewSet(deployment, own)
      return await writeStatus(scope, deployment, { newSet, old: oldSets(own, newSet) }, false)
    }
    deployment = await syncPaused(scope, deployment)
    if (deployment.spec.paused === true || isScaling(deployment, own)) return await scaleOnly(scope, deployment, own)
    return isRollingUpdate(deployment) ? await rollUpdate(scope, deployment, own) : await recreate(scope, deployment, own)
  } catch (error) {
    // Somebody deleted it meanwhile: their event brings it back here.
    if (isNotFound(error)) return
    throw error
  }
}

/** Says in the Progressing condition that the Deployment is paused, so that its deadline does not run. */
async function syncPaused(scope: Scope, deployment: Deployment): Promise<Deployment> {
  const reason = conditionOf(deployment.status, 'Progressing')?.reason
  if (!hasProgressDeadline(deployment) || reason === 'ProgressDeadlineExceeded') return deployment
  const paused = deployment.spec.paused === true
  if (paused === (reason === 'DeploymentPaused')) return deployment
  const next = paused ? { reason: 'DeploymentPaused', message: 'Deployment is paused' } : { reason: 'DeploymentResumed', message: 'Deployment is resumed' }
  const conditions = setCondition(deployment.status?.conditions ?? [], { type: 'Progressing', status: 'Unknown', ...next }, scope.context.clock.now())
  return updateStatus(scope, deployment, { ...deployment.status, conditions })
}

/** Whether the wanted size changed since the active sets were last scaled. */
function isScaling(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return sets.filter(isActive).some((set) => {
    const noted = numberAnnotation(set, desiredReplicasAnnotation)
    return noted !== undefined && noted !== desiredReplicas(deployment)
  })
}

async function scaleOnly(scope: Scope, given: Deployment, own: ReplicaSet[]): Promise<void> {
  const { deployment, sets } = await syncRevision(scope, given, own, false)
  await scale(scope, deployment, sets)
  if (deployment.spec.paused === true) await cleanUp(scope, deployment, sets)
  await writeStatus(scope, deployment, sets, false)
}

async function scale(scope: Scope, deployment: Deployment, sets: Sets): Promise<void> {
  const wanted = desiredReplicas(deployment)
  const active = allSets(sets).filter(isActive)
  const only = active.length === 1 ? active[0] : active.length === 0 ? sets.newSet ?? sets.old.toSorted(byCreation).at(-1) : undefined
  if (only !== undefined) {
    if (setReplicas(only) !== wanted) await scaleSet(scope, deployment, sets, only, wanted)
    return
  }
  const { newSet } = sets
  const saturated = newSet !== undefined && setReplicas(newSet) === wanted && numberAnnotation(newSet, desiredReplicasAnnotation) === wanted && (newSet.status?.availableReplicas ?? 0) === wanted
  if (saturated) {
    for (const set of sets.old.filter(isActive)) await scaleSet(scope, deployment, sets, set, 0)
    return
  }
  if (isRollingUpdate(deployment)) for (const { set, replicas } of proportionalSizes(deployment, active)) await scaleSet(scope, deployment, sets, set, replicas)
}

async function rollUpdate(scope: Scope, given: Deployment, own: ReplicaSet[]): Promise<void> {
  const { deployment, sets } = await syncRevision(scope, given, own, true)
  const { newSet } = sets
  const wanted = desiredReplicas(deployment)
  if (newSet !== undefined && setReplicas(newSet) !== wanted) {
    const size = setReplicas(newSet) > wanted ? wanted : newSetReplicas(deployment, allSets(sets), setReplicas(newSet))
    if (await scaleSet(scope, deployment, sets, newSet, size)) return writeStatus(scope, deployment, sets, true)
  }
  const resizes = shrinkOldSets(deployment, sets.newSet, sets.old)
  for (const { set, replicas } of resizes) await scaleSet(scope, deployment, sets, set, replicas)
  if (resizes.length === 0 && isComplete(deployment, deployment.status ?? {})) await cleanUp(scope, deployment, sets)
  await writeStatus(scope, deployment, sets, true)
}

async function recreate(scope: Scope, given: Deployment, own: ReplicaSet[]): Promise<void> {
  let { deployment, sets } = await syncRevision(scope, given, own, false)
  const active = sets.old.filter(isActive)
  for (const set of active) await scaleSet(scope, deployment, sets, set, 0)
  if (active.length > 0 || oldPodsRun(scope, sets)) return writeStatus(scope, deployment, sets, true)
  if (sets.newSet === undefined) ({ deployment, sets } = await syncRevision(scope, deployment, own, true))
  if (sets.newSet !== undefined) await scaleSet(scope, deployment, sets, sets.newSet, desiredReplicas(deployment))
  if (isComplete(deployment, deployment.status ?? {})) await cleanUp(scope, deployment, sets)
  await writeStatus(scope, deployment, sets, true)
}

function oldPodsRun(scope: Scope, { old }: Sets): boolean {
  return old.some((set) => (set.status?.replicas ?? 0) > 0 || scope.pods.store.byIndex('controller', set.metadata.uid ?? '').some((pod) => !isPodTerminal(pod)))
}

/** Deletes old sets beyond `revisionHistoryLimit`: the lowest revisions that have no pods. */
async function cleanUp({ context: { client } }: Scope, deployment: Deployment, { old }: Sets): Promise<void> {
  const limit = deployment.spec.revisionHistoryLimit
  if (limit === undefined || limit === 2147483647) return
  const cleanable = old.filter((set) => set.metadata.deletionTimestamp === undefined).toSorted((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
  for (const set of cleanable.slice(0, Math.max(0, cleanable.length - limit))) {
    const busy = (set.status?.replicas ?? 0) !== 0 || setReplicas(set) !== 0 || (set.metadata.generation ?? 0) > (set.status?.observedGeneration ?? 0)
    if (!busy) await client.delete(apps.replicasets, set.metadata.name, { namespace: set.metadata.namespace, propagationPolicy: 'Background', preconditions: { uid: set.metadata.uid } }).catch(ignore(isNotFound))
  }
}

async function writeStatus(scope: Scope, deployment: Deployment, sets: Sets, rollout: boolean): Promise<void> {
  const now = scope.context.clock.now()
  const status = (rollout ? rolloutStatus : baseStatus)(deployment, allSets(sets), sets.newSet, now)
  if (!sameDeploymentStatus(deployment.status, status)) {
    await updateStatus(scope, deployment, status)
    return
  }
  const wait = rollout ? untilDeadline(deployment, status, now) : undefined
  // A second later, so that the deadline has surely passed.
  if (wait !== undefined) scope.queue.addAfter(keyOf(deployment), Math.max(wait, 0) + 1000)
}
