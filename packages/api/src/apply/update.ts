import { normalize } from '../decode/normalize.ts'
import { isObject } from '../decode/values.ts'
import type { JsonObject, ObjectSchema } from '../schema/model.ts'
import { FieldSet } from './field-set.ts'
import { type Manager, isReset, readManagers, writeManagers } from './managers.ts'
import { pathSet, recordUpdate } from './ownership.ts'

export interface UpdateOptions {
  readonly schema: ObjectSchema
  /** The stored object; undefined for a create. */
  readonly live: unknown
  /** The object to be stored: decoded and defaulted, before mutating admission and before the strategy takes fields back. */
  readonly newObject: unknown
  /** The field manager; empty becomes `unknown`. Callers derive it from the user agent where the request names none. */
  readonly manager: string
  readonly operation?: 'Update'
  readonly apiVersion: string
  /** Empty for the object itself. */
  readonly subresource: string
  /** RFC 3339, seconds. Empty for the scale subresource, whose entries upstream writes without a time. */
  readonly time: string
  /** Fields that the resource's strategy resets on this path, `[['status']]`: nobody comes to own them by it. */
  readonly resetFields?: ReadonlyArray<readonly string[]>
}

/**
 * Works out metadata.managedFields for a create, update or patch: the manager owns what it added or changed, others lose it; removed fields leave all sets.
 * An object whose managers were once given up (`managedFields: [{}]`, or all entries gone) is not tracked again before somebody applies to it.
 * @returns a shallow copy of newObject with managedFields set; newObject itself where the objects cannot be compared
 */
export function updateManagedFields<T>(options: UpdateOptions & { newObject: T }): T {
  const { schema, newObject } = options
  const live = isObject(options.live) ? options.live : undefined
  const managers = managersOf(options, live)
  const isCreate = uidOf(live) === ''
  if (managers.size === 0 && !isCreate) return withManagers(newObject as JsonObject, undefined) as T
  const actor: Manager = { name: options.manager === '' ? 'unknown' : options.manager, operation: 'Update', apiVersion: options.apiVersion, subresource: options.subresource, time: options.time === '' ? undefined : options.time, set: new FieldSet() }
  const before = withoutManagers(normalize(schema, live ?? {}, true))
  // A list that is sent empty is somebody's, where one that was stored empty is none.
  const after = withoutManagers(normalize(schema, newObject as JsonObject, true))
  try {
    const now = recordUpdate(schema, before, after, managers, actor, pathSet(options.resetFields ?? []))
    return withManagers(newObject as JsonObject, writeManagers(now)) as T
  } catch {
    // Objects that cannot be typed (a keyed list's item without its key, before validation) keep the managers they have.
    return withManagers(newObject as JsonObject, writeManagers(managers)) as T
  }
}

/** A client may set managedFields, except through a subresource; what is empty or unreadable leaves the live object's. */
function managersOf(options: UpdateOptions, live: JsonObject | undefined): Map<string, Manager> {
  const stored = (): Map<string, Manager> => readManagers(managedFieldsOf(live)) ?? new Map()
  if (options.subresource !== '') return stored()
  const given = managedFieldsOf(isObject(options.newObject) ? options.newObject : undefined)
  if (isReset(given)) return new Map()
  const read = readManagers(given)
  return read === undefined || read.size === 0 ? stored() : read
}

export function managedFieldsOf(object: JsonObject | undefined): unknown {
  const metadata = object?.['metadata']
  return isObject(metadata) ? metadata['managedFields'] : undefined
}

export function uidOf(object: JsonObject | undefined): string {
  const metadata = object?.['metadata']
  return isObject(metadata) && typeof metadata['uid'] === 'string' ? metadata['uid'] : ''
}

/** A shallow copy with managedFields set, or without the field where there are no entries. */
export function withManagers(object: JsonObject, entries: ReadonlyArray<Record<string, unknown>> | undefined): JsonObject {
  const metadata = isObject(object['metadata']) ? { ...object['metadata'] } : {}
  delete metadata['managedFields']
  if (entries && entries.length > 0) metadata['managedFields'] = entries as JsonObject[]
  return { ...object, metadata }
}

export function withoutManagers(object: JsonObject): JsonObject {
  return withManagers(object, undefined)
}
