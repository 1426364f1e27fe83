// Who owns which field: api's updateManagedFields and serverSideApply on objects of the registry.
import { ApplyError, serverSideApply, updateManagedFields } from '@berth/api'
import type { Applied, ObjectSchema } from '@berth/api'
import { StatusError } from '../errors.ts'
import type { ApiObject } from '../interfaces.ts'

export interface ManagerInfo {
  schema: ObjectSchema
  manager: string
  apiVersion: string
  /** '' for the object itself. */
  subresource: string
  /** The fields that the resource (or subresource) ignores: nobody comes to own them. */
  resetFields: readonly (readonly string[])[]
  /** RFC 3339; '' for none. */
  time: string
}

/** Sets `object.metadata.managedFields` for a create, update or patch. */
export function manageUpdate(object: ApiObject, live: ApiObject | undefined, info: ManagerInfo): void {
  const managed = updateManagedFields({ ...info, live, newObject: object })
  if (managed.metadata.managedFields === undefined) delete object.metadata.managedFields
  else object.metadata.managedFields = managed.metadata.managedFields
}

/** Lays an applied configuration (as sent) over the live object. Conflicts are in the result; what cannot be applied throws. */
export function manageApply(applied: unknown, live: ApiObject | undefined, info: ManagerInfo & { force: boolean }): Applied {
  try {
    return serverSideApply({ ...info, live, applied })
  } catch (error) {
    if (error instanceof ApplyError) throw new StatusError(error.code, error.code === 400 ? 'BadRequest' : '', error.message, undefined, { cause: error })
    throw error
  }
}
