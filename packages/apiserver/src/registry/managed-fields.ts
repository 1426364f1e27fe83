// Who owns which field: api's updateManagedFields and serverSideApply, with the fields a resource or subresource ignores taken out.
import { serverSideApply, updateManagedFields } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import { asRecord, cloneValue } from './values.ts'
import type { ObjectSchema } from '@berth/api'

type Paths = readonly (readonly string[])[]

export interface ManagerInfo {
  schema: ObjectSchema
  manager: string
  apiVersion: string
  subresource: string
  resetFields: Paths
  time: string
}

function copyPath(to: Record<string, unknown>, from: unknown, path: readonly string[]): void {
  const [head, ...rest] = path
  if (head === undefined) return
  const source = asRecord(from)
  if (rest.length === 0) {
    if (source?.[head] === undefined) delete to[head]
    else to[head] = cloneValue(source[head])
    return
  }
  const inner = asRecord(to[head])
  if (!inner && asRecord(source?.[head]) === undefined) return
  const target = inner ? { ...inner } : {}
  copyPath(target, source?.[head], rest)
  to[head] = target
}

/** A copy of `object` in which the paths have the values they have in `base` (none, without one). */
export function withPathsOf(object: ApiObject, base: ApiObject | undefined, paths: Paths): ApiObject {
  if (paths.length === 0) return object
  const copy: Record<string, unknown> = { ...object }
  for (const path of paths) copyPath(copy, base, path)
  return copy as ApiObject
}

/** Sets `object.metadata.managedFields` for a create, update or patch. */
export function manageUpdate(object: ApiObject, live: ApiObject | undefined, info: ManagerInfo): void {
  const managed = updateManagedFields({
    schema: info.schema, live, newObject: withPathsOf(object, live, info.resetFields), manager: info.manager, operation: 'Update',
    apiVersion: info.apiVersion, subresource: info.subresource, time: info.time,
  }) as ApiObject
  if (managed.metadata.managedFields === undefined) delete object.metadata.managedFields
  else object.metadata.managedFields = managed.metadata.managedFields
}

/** Merges an applied configuration into the live object. Conflicts are returned, not thrown. */
export function manageApply(applied: ApiObject, live: ApiObject | undefined, info: ManagerInfo & { force: boolean }): ReturnType<typeof serverSideApply> {
  return serverSideApply({
    schema: info.schema, live, applied: withPathsOf(applied, undefined, info.resetFields), manager: info.manager, force: info.force,
    apiVersion: info.apiVersion, subresource: info.subresource, time: info.time,
  })
}
