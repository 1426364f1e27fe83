// Deleting an object: upstream's Store.Delete with grace periods, finalizers and propagation.
import { conflict, notFound } from '../errors.ts'
import type { AdmissionAttributes, ApiObject } from '../interfaces.ts'
import { StorageConflict } from '../storage/storage.ts'
import { CachedObject } from './cached-object.ts'
import { settleDeletion } from './deletion-plan.ts'
import type { DeleteOptions } from './deletion-plan.ts'
import { writeObject } from './create.ts'
import type { Registry } from './registry.ts'
import type { ResourceRuntime } from './resource-runtime.ts'
import type { WriteScope } from './scope.ts'
import { cloneValue, equalValues } from './values.ts'

const attempts = 10

/** What a deletion came to. `removed` says whether the object is gone; `object` is its last state. */
export interface DeleteResult { removed: boolean, cached: CachedObject }

/** Deletes, or marks for deletion. Resolves after the commit. Throws NotFound, Conflict (preconditions) and what admission throws. */
export async function deleteObject(registry: Registry, runtime: ResourceRuntime, namespace: string, name: string, options: DeleteOptions, scope: WriteScope): Promise<DeleteResult> {
  const key = runtime.key(namespace, name)
  const warning = runtime.definition.deleteWarning?.(options)
  if (warning !== undefined) scope.warn(warning)
  for (let attempt = 1; ; attempt++) {
    const live = await registry.newest(key)
    try {
      if (!live) throw notFound(runtime.groupResource, name)
      checkPreconditions(runtime, live, name, options)
    } catch (error) {
      // It may have been judged by a version that another server has replaced meanwhile.
      if (attempt < attempts && await registry.isStale(key, live)) continue
      throw error
    }
    const attributes: AdmissionAttributes = {
      operation: 'DELETE', resource: runtime.definition.resource, subresource: '', kind: runtime.gvk, namespace, name, object: undefined, oldObject: live.object,
      options: scope.options, user: scope.user, dryRun: scope.dryRun, warn: scope.warn,
    }
    await scope.admission.mutate(attributes)
    await scope.admission.validate(attributes)
    const object = cloneValue(live.object)
    const verdict = settleDeletion(runtime.definition, object, options, registry.now())
    const final = runtime.rules.normalize(object)
    try {
      if (verdict === 'remove') {
        if (scope.dryRun) return { removed: true, cached: new CachedObject(key, live.revision, final, undefined) }
        return { removed: true, cached: await removeKey(registry, runtime, live, final, scope) }
      }
      if (equalValues(final, live.object)) {
        if (await registry.isStale(key, live)) throw new StorageConflict(key, undefined)
        return { removed: false, cached: live }
      }
      if (scope.dryRun) return { removed: false, cached: new CachedObject(key, live.revision, final, undefined) }
      return { removed: false, cached: await writeObject(registry, runtime, key, final, live.revision) }
    } catch (error) {
      if (!(error instanceof StorageConflict) || attempt >= attempts) throw error
    }
  }
}

/** Takes a key away, built on `live`, and lets hooks release what the object held. Resolves with the last state. */
export async function removeKey(registry: Registry, runtime: ResourceRuntime, live: CachedObject, last: ApiObject, scope: WriteScope): Promise<CachedObject> {
  await registry.storage.write({ key: live.key, expected: live.revision, value: undefined })
  for (const hook of runtime.hooks) await hook.afterDelete?.(last, scope)
  return new CachedObject(live.key, live.revision, last, undefined)
}

function checkPreconditions(runtime: ResourceRuntime, live: CachedObject, name: string, options: DeleteOptions): void {
  const wanted = options.preconditions
  if (!wanted) return
  // Upstream names the kind, not the resource, here.
  const groupKind = { group: runtime.gvk.group, resource: runtime.gvk.kind }
  const meta = live.object.metadata
  if (wanted.uid !== undefined && wanted.uid !== meta.uid) {
    throw conflict(groupKind, name, `the UID in the precondition (${wanted.uid}) does not match the UID in record (${meta.uid ?? ''}). The object might have been deleted and then recreated`)
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== String(live.revision)) {
    throw conflict(groupKind, name, `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ResourceVersion in record (${live.revision}). The object might have been modified`)
  }
}
