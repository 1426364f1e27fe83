/** The managers of an object's fields, read from and written to metadata.managedFields. */
import { isObject } from '../decode/values.ts'
import { FieldSet } from './field-set.ts'

export type Operation = 'Apply' | 'Update'

/** Who owns a set of fields: one entry of metadata.managedFields. Appliers are told apart without their apiVersion, updaters with it. */
export interface Manager {
  readonly name: string
  readonly operation: Operation
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly set: FieldSet
}

/** Managers by identity (managerKey). */
export type Managers = ReadonlyMap<string, Manager>

export function managerKey(manager: Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return JSON.stringify([manager.name, manager.operation, manager.operation === 'Apply' ? '' : manager.apiVersion, manager.subresource])
}

/**
 * Reads metadata.managedFields.
 * @returns undefined where an entry is malformed: upstream then acts as if there were none
 */
export function readManagers(entries: unknown): Map<string, Manager> | undefined {
  const managers = new Map<string, Manager>()
  if (!Array.isArray(entries)) return managers
  for (const entry of entries as unknown[]) {
    if (!isObject(entry)) return undefined
    const { manager, operation, apiVersion, subresource, time, fieldsType, fieldsV1 } = entry
    if ((operation !== 'Apply' && operation !== 'Update') || (fieldsType !== undefined && fieldsType !== 'FieldsV1')) return undefined
    if (typeof apiVersion !== 'string' || apiVersion === '') return undefined
    try {
      const read: Manager = {
        name: typeof manager === 'string' ? manager : '', operation, apiVersion, subresource: typeof subresource === 'string' ? subresource : '',
        time: typeof time === 'string' ? time : undefined, set: FieldSet.fromFields(fieldsV1),
      }
      managers.set(managerKey(read), read)
    } catch {
      return undefined
    }
  }
  return managers
}

/** True for `managedFields: [{}]`, by which a client asks to forget all managers. */
export function isReset(entries: unknown): boolean {
  return Array.isArray(entries) && entries.length === 1 && isObject(entries[0]) && Object.keys(entries[0]).length === 0
}

/** The entries of metadata.managedFields: appliers first, then by time and name. */
export function writeManagers(managers: Managers): Array<Record<string, unknown>> {
  const seconds = (m: Manager): number => (m.time === undefined ? 0 : Math.floor(Date.parse(m.time) / 1000))
  const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  return [...managers.values()]
    .sort((a, b) => text(a.operation, b.operation) || seconds(a) - seconds(b) || text(a.name, b.name) || text(a.apiVersion, b.apiVersion) || text(a.subresource, b.subresource))
    .map((m) => ({
      ...(m.name !== '' && { manager: m.name }), operation: m.operation, apiVersion: m.apiVersion, ...(m.time !== undefined && { time: m.time }),
      fieldsType: 'FieldsV1', fieldsV1: m.set.toFields(), ...(m.subresource !== '' && { subresource: m.subresource }),
    }))
}
