import { apiextensions, apiVersionOf, type ResourceInfo } from '@berth/api'
import type { CustomResourceDefinition } from '@berth/api/types/apiextensions/v1'
import type { OwnerReference } from '@berth/api/types/meta/v1'
import { createWorkQueue, isInvalid, isNotFound, runWorkers, type EventRecorder, type WorkQueue } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { periodically } from '../common/keyed-controller.ts'
import type { ApiObject } from '../common/owners.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { decide, type OwnerState } from './decide.ts'
import { foregroundFinalizer, orphanFinalizer, OwnerGraph, type Coordinates, type GraphNode, type GraphWork } from './graph.ts'
import { CollectableKinds } from './resources.ts'

const discoveryPeriodMs = 30_000
/** How long new kinds are waited for before the next look: upstream's period. */
const syncWithinMs = 30_000

/** Deletes what has lost its owners, and carries out foreground and orphaning deletions. */
export const garbageCollector: Controller = {
  name: 'garbage-collector-controller',
  async run(context) {
    const { logger, signal, clock, settings } = context
    const graph = new OwnerGraph()
    const kinds = new CollectableKinds(context.informers)
    const toDelete = createWorkQueue({ name: 'garbage_collector_attempt_to_delete', clock, observer: context.queueObserver?.('garbage_collector_attempt_to_delete') })
    const toOrphan = createWorkQueue({ name: 'garbage_collector_attempt_to_orphan', clock, observer: context.queueObserver?.('garbage_collector_attempt_to_orphan') })
    const scope: Scope = { context, graph, kinds, toDelete, recorder: context.recorder('garbage-collector-controller') }
    const enqueue = (work: GraphWork): void => {
      for (const uid of work.attemptToDelete) toDelete.add(uid)
      for (const uid of work.attemptToOrphan) toOrphan.add(uid)
    }
    const off: (() => void)[] = []
    const discover = async (): Promise<void> => {
      const fresh = await kinds.refresh(context)
      for (const { resource, informer } of fresh) {
        const type = { apiVersion: apiVersionOf(resource), kind: resource.kind }
        off.push(informer.on({
          added: (object) => enqueue(graph.put(type, object)),
          updated: (_old, now) => enqueue(graph.put(type, now)),
          deleted: (last) => enqueue(graph.remove(last.metadata.uid ?? '')),
        }))
      }
      // An owner is judged by asking the server, so workers need not wait; but a whole graph saves them most questions.
      await Promise.all(fresh.map(({ resource, informer }) => informer.whenSynced(AbortSignal.any([signal, AbortSignal.timeout(syncWithinMs)])).catch((error: unknown) => {
        if (signal.aborted) throw error
        // A server behind the API that is away: its kinds come when it does, others must not wait for them.
        logger.warn('A kind is not known yet', { resource: resource.resource, group: resource.group })
      })))
    }
    let turn = Promise.resolve()
    const discoverInTurn = (): Promise<void> => (turn = turn.then(discover, discover))
    // A new kind is known at once: upstream, its owners are not before the next period.
    let asked = false
    const established = (definition: CustomResourceDefinition): void => {
      if (asked || !isServed(definition)) return
      asked = true
      void Promise.resolve().then(() => {
        asked = false
        return discoverInTurn()
      }).catch((error: unknown) => { if (!signal.aborted) logger.error(error, 'Failed to discover a new kind, the next period tries again') })
    }
    off.push(context.informers.for(apiextensions.customresourcedefinitions).on({
      added: established, updated: (old, now) => { if (!isServed(old)) established(now) },
    }))
    // The first discovery may meet a server that is still starting: without it there is nothing to do.
    const discovering = periodically(context, 'garbage collector discovery', discoveryPeriodMs, discoverInTurn)
    const stop = (): void => {
      toDelete.shutDown()
      toOrphan.shutDown()
    }
    await Promise.all([
      discovering.finally(stop),
      runWorkers(toDelete, settings.concurrentGcSyncs, (uid) => attemptToDelete(scope, uid), { logger, signal }),
      runWorkers(toOrphan, settings.concurrentGcSyncs, (uid) => attemptToOrphan(scope, uid), { logger, signal }),
    ])
    for (const remove of off) remove()
  },
}

function isServed({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') === true
}

interface Scope {
  context: ControllerContext
  graph: OwnerGraph
  kinds: CollectableKinds
  toDelete: WorkQueue
  recorder: EventRecorder
}

async function attemptToDelete(scope: Scope, uid: string): Promise<void> {
  const { context: { client, logger }, graph, toDelete } = scope
  const node = graph.get(uid)
  if (node === undefined) return
  // Its deletion is under way; only one that waits for dependents needs us.
  if (node.beingDeleted && !node.deletingDependents) return
  const resource = resourceOf(scope, node)
  const live = await read(scope, resource, node)
  if (live === undefined) return removeFromGraph(scope, uid)
  if (node.virtual) return toDelete.addRateLimited(uid)
  if (node.deletingDependents) return releaseForeground(scope, resource, node, live)
  const states = new Map<string, OwnerState>()
  for (const owner of live.metadata.ownerReferences ?? []) states.set(owner.uid, await ownerState(scope, live, resource, owner))
  const dependents = graph.dependentsOf(node)
  const verdict = decide(live, states, dependents.length > 0, dependents.some((dependent) => dependent.deletingDependents))
  if (verdict.act === 'keep') return
  const at = { namespace: live.metadata.namespace }
  if (verdict.act === 'unlink') {
    await unlink(scope, resource, live, verdict.uids)
    return
  }
  if (verdict.unblock) await unblock(scope, resource, live)
  logger.v(2).info('Deleting item', { kind: node.kind, object: live, propagationPolicy: verdict.propagationPolicy })
  const preconditions = { uid: live.metadata.uid, resourceVersion: live.metadata.resourceVersion }
  await client.delete(resource, live.metadata.name, { ...at, propagationPolicy: verdict.propagationPolicy, preconditions: verdict.unblock ? { uid: live.metadata.uid } : preconditions }).catch(ignore(isNotFound))
}

function removeFromGraph({ graph, toDelete }: Scope, uid: string): void {
  for (const next of graph.remove(uid).attemptToDelete) toDelete.add(next)
}

/** The object as the server has it now; undefined where it is gone or another one has its name. */
async function read({ context: { client } }: Scope, resource: ResourceInfo<ApiObject>, at: Coordinates): Promise<ApiObject | undefined> {
  const live = await client.get(resource, at.name, resource.namespaced ? { namespace: at.namespace } : {}).catch(ignore(isNotFound))
  return live?.metadata.uid === at.uid ? live : undefined
}

function resourceOf({ kinds }: Scope, at: { apiVersion: string; kind: string }): ResourceInfo<ApiObject> {
  const resource = kinds.resourceOf(at)
  if (resource === undefined) throw new Error(`unable to get REST mapping for ${at.apiVersion}/${at.kind}`)
  return resource
}

async function ownerState(scope: Scope, object: ApiObject, ownResource: ResourceInfo, owner: OwnerReference): Promise<OwnerState> {
  const known = scope.graph.get(owner.uid)
  // What our watch shows is there: the cheap answer for most. An owner that waits or is unknown is asked for.
  if (known !== undefined && !known.virtual && !known.beingDeleted && known.kind === owner.kind && known.name === owner.name && (known.namespace === '' || known.namespace === object.metadata.namespace)) return 'solid'
  const resource = resourceOf(scope, owner)
  if (resource.namespaced && !ownResource.namespaced) {
    scope.recorder.event({ ...object, apiVersion: apiVersionOf(ownResource), kind: ownResource.kind }, 'Warning', 'OwnerRefInvalidNamespace', `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: , name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace ""`)
    return 'solid'
  }
  const live = await read(scope, resource, { ...owner, namespace: object.metadata.namespace ?? '' })
  if (live === undefined) return 'dangling'
  return live.metadata.deletionTimestamp !== undefined && (live.metadata.finalizers ?? []).includes(foregroundFinalizer) ? 'waiting' : 'solid'
}

/** Foreground deletion: the finalizer goes when no dependent blocks any more; until then the blocking ones are looked at. */
async function releaseForeground(scope: Scope, resource: ResourceInfo<ApiObject>, node: GraphNode, live: ApiObject): Promise<void> {
  const blocking = scope.graph.dependentsOf(node).filter((dependent) => dependent.owners.some((owner) => owner.uid === node.uid && owner.blockOwnerDeletion === true))
  if (blocking.length === 0) return removeFinalizer(scope, resource, live, foregroundFinalizer)
  for (const dependent of blocking) if (!dependent.deletingDependents) scope.toDelete.add(dependent.uid)
}

async function attemptToOrphan(scope: Scope, uid: string): Promise<void> {
  const node = scope.graph.get(uid)
  if (node === undefined) return
  const resource = resourceOf(scope, node)
  const live = await read(scope, resource, node)
  if (live === undefined || live.metadata.deletionTimestamp === undefined || !(live.metadata.finalizers ?? []).includes(orphanFinalizer)) return
  for (const dependent of scope.graph.dependentsOf(node)) {
    const theirs = resourceOf(scope, dependent)
    const object = await read(scope, theirs, dependent)
    if (object !== undefined && (object.metadata.ownerReferences ?? []).some((owner) => owner.uid === uid)) await unlink(scope, theirs, object, [uid])
  }
  await removeFinalizer(scope, resource, live, orphanFinalizer)
}

async function unlink(scope: Scope, resource: ResourceInfo<ApiObject>, object: ApiObject, uids: readonly string[]): Promise<void> {
  const ownerReferences = (object.metadata.ownerReferences ?? []).filter((owner) => !uids.includes(owner.uid))
  await patchMetadata(scope, resource, object, { ownerReferences: ownerReferences.length === 0 ? null : ownerReferences })
}

/** Lets the object's references no longer block its owners: otherwise a circle would wait for itself. */
async function unblock(scope: Scope, resource: ResourceInfo<ApiObject>, object: ApiObject): Promise<void> {
  const ownerReferences = (object.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, blockOwnerDeletion: false }))
  await patchMetadata(scope, resource, object, { ownerReferences })
}

async function removeFinalizer(scope: Scope, resource: ResourceInfo<ApiObject>, object: ApiObject, finalizer: string): Promise<void> {
  const finalizers = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  await patchMetadata(scope, resource, object, { finalizers: finalizers.length === 0 ? null : finalizers })
}

/** A merge patch, valid for every kind, that fails with a conflict where the object has changed since it was read. */
async function patchMetadata({ context: { client } }: Scope, resource: ResourceInfo<ApiObject>, object: ApiObject, metadata: object): Promise<void> {
  const body = { metadata: { ...metadata, uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion } }
  await client.patch(resource, object.metadata.name, { type: 'merge', body }, { namespace: object.metadata.namespace }).catch(ignore(isNotFound, isInvalid))
}
