// Changing an object: upstream's Store.Update with its compare-and-swap loop. PUT, PATCH, apply, subresources and in-process writes all come through here.
import { adopt } from './adopt.ts'
import type { FieldError } from '@berth/api'
import { badRequest, conflict, invalid, notFound, optimisticLockMessage } from '../errors.ts'
import type { Features } from '../features.ts'
import type { AdmissionAttributes, ApiObject, WriteOutcome } from '../interfaces.ts'
import { StorageConflict } from '../storage/storage.ts'
import { CachedObject } from './cached-object.ts'
import { createObject, settle, writeObject } from './create.ts'
import { removeKey } from './delete.ts'
import type { Registry } from './registry.ts'
import type { ResourceRuntime } from './resource-runtime.ts'
import type { WriteScope } from './scope.ts'
import { deduplicateOwners, keepSystemFields } from './system-fields.ts'
import { cloneValue, equalValues } from './values.ts'

const attempts = 10

/** One kind of update. */
export interface UpdatePlan {
  /** The new object (stored version, defaulted, managedFields set), given the live one; called again when somebody else was faster. */
  change(live: ApiObject | undefined): Promise<ApiObject> | ApiObject
  /** '' for the resource itself. */
  subresource: string
  prepare?(object: ApiObject, old: ApiObject, features: Features): void
  validate?(object: ApiObject, old: ApiObject): FieldError[]
  /** The object may be created when it is not there. */
  mayCreate: boolean
  /** metadata.uid of the new object must be the live one's (PUT). */
  checksUid: boolean
  /** What admission is shown instead of the objects themselves (scale). */
  admitted?: { kind: { group: string, version: string, kind: string }, of(object: ApiObject): ApiObject, back(admitted: ApiObject, object: ApiObject): void }
}

export interface UpdateResult { cached: CachedObject, created: boolean }

/** Runs an update plan. Resolves after the commit. Throws StatusError: NotFound, Conflict, Invalid, Forbidden, ... */
export async function updateObject(registry: Registry, runtime: ResourceRuntime, namespace: string, name: string, plan: UpdatePlan, scope: WriteScope): Promise<UpdateResult> {
  const key = runtime.key(namespace, name)
  for (let attempt = 1; ; attempt++) {
    const live = await registry.newest(key)
    try {
      if (!live) {
        if (!plan.mayCreate) throw notFound(runtime.groupResource, name)
        await scope.authorizeCreate?.()
        const object = await plan.change(undefined)
        return { cached: await createObject(registry, runtime, namespace, object, scope), created: true }
      }
      await runtime.stored.prepareToServe([live])
      const object = await plan.change(runtime.stored.serve(live.object))
      return { cached: await updateOnce(registry, runtime, namespace, name, live, object, plan, scope), created: false }
    } catch (error) {
      if (!(error instanceof StorageConflict)) {
        // It may have been judged by a version that another server has replaced meanwhile.
        if (attempt < attempts && await registry.isStale(key, live)) continue
        throw error
      }
      // The next round sees the newer version: a resourceVersion that the client named will then not fit, and is refused.
      if (attempt >= attempts) throw conflict(runtime.groupResource, name, optimisticLockMessage)
    }
  }
}

async function updateOnce(
  registry: Registry, runtime: ResourceRuntime, namespace: string, name: string, live: CachedObject, object: ApiObject, plan: UpdatePlan, scope: WriteScope,
): Promise<CachedObject> {
  const { definition } = runtime
  const old = runtime.stored.serve(live.object)
  const meta = object.metadata
  if (definition.resource.namespaced) {
    if ((meta.namespace ?? '') === '') meta.namespace = namespace
    if (meta.namespace !== namespace) throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  } else delete meta.namespace
  if (plan.checksUid && meta.uid && meta.uid !== old.metadata.uid) {
    throw conflict(runtime.groupResource, name,
      `StorageError: invalid object, Code: 4, Key: ${live.key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${old.metadata.uid ?? ''}`)
  }
  const attributes: AdmissionAttributes = {
    operation: 'UPDATE', resource: definition.resource, subresource: plan.subresource, kind: plan.admitted?.kind ?? runtime.gvk, namespace, name,
    object: plan.admitted ? plan.admitted.of(object) : object, oldObject: plan.admitted ? plan.admitted.of(old) : old,
    options: scope.options, user: scope.user, dryRun: scope.dryRun, warn: scope.warn, adopt: (value) => adopt(runtime, value),
  }
  await scope.admission.mutate(attributes)
  if (plan.admitted && attributes.object) plan.admitted.back(attributes.object, object)
  deduplicateOwners(object)
  const wanted = meta.resourceVersion ?? ''
  if (wanted === '' || wanted === '0') {
    if (definition.refusesUnconditionalUpdate) {
      throw invalid(runtime.gvk, name, [{ type: 'Invalid', field: 'metadata.resourceVersion', badValue: 0, detail: 'must be specified for an update' }])
    }
  } else if (wanted !== String(live.revision)) throw conflict(runtime.groupResource, name, optimisticLockMessage)
  meta.resourceVersion = String(live.revision)
  keepSystemFields(object, old)
  if (plan.prepare) plan.prepare(object, old, registry.features)
  else definition.prepareForUpdate?.(object, old, registry.features)
  for (const hook of runtime.hooks) hook.normalize?.(object, old)
  let final = runtime.rules.normalize(object)
  const errors = plan.validate ? plan.validate(final, old) : runtime.rules.validateUpdate(final, old, plan.subresource, runtime.validation)
  if (errors.length > 0) throw invalid(runtime.gvk, name, errors)
  if (plan.subresource === '') for (const warning of runtime.rules.warnings(final, old)) scope.warn(warning)
  await scope.admission.validate({ ...attributes, object: plan.admitted ? plan.admitted.of(final) : final })

  if (isFinished(runtime, final, old)) {
    if (scope.dryRun) return new CachedObject(live.key, live.revision, final, undefined)
    return removeKey(registry, runtime, live, final, scope)
  }
  const outcomes: WriteOutcome[] = []
  try {
    for (const hook of runtime.hooks) if (hook.beginUpdate) outcomes.push(await hook.beginUpdate(final, cloneValue(old), scope))
    if (outcomes.length > 0) final = runtime.rules.normalize(final)
    // What was stored in another version is written in today's, though nothing else changes.
    if (live.object.apiVersion === final.apiVersion && equalValues(final, old)) {
      if (await registry.isStale(live.key, live)) throw new StorageConflict(live.key, undefined)
      await settle(outcomes, 'revert')
      return registry.revision >= live.revision ? live : await committed(registry, live)
    }
    if (scope.dryRun) {
      await settle(outcomes, 'revert')
      return new CachedObject(live.key, live.revision, final, undefined)
    }
    const cached = await writeObject(registry, runtime, live.key, final, live.revision)
    await settle(outcomes, 'commit')
    return cached
  } catch (error) {
    if (!scope.dryRun) await settle(outcomes, 'revert')
    throw error
  }
}

/** An unchanged object may still be on its way to the disk: it is answered once it is there. */
async function committed(registry: Registry, live: CachedObject): Promise<CachedObject> {
  await registry.waitForRevision(live.revision, AbortSignal.timeout(30_000))
  return live
}

/** Whether the last finalizer of an object in deletion is gone. */
function isFinished(runtime: ResourceRuntime, object: ApiObject, old: ApiObject): boolean {
  if (old.metadata.deletionTimestamp === undefined) return false
  if ((object.metadata.finalizers?.length ?? 0) > 0) return false
  if ((old.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false
  return !(runtime.definition.hasMoreFinalizers?.(object) ?? false)
}
