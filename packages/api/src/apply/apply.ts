import { decode } from '../decode/decode.ts'
import { applyDefaults } from '../defaults/index.ts'
import { normalize } from '../decode/normalize.ts'
import { isObject } from '../decode/values.ts'
import { equal } from '../json/values.ts'
import type { Json, JsonObject, ObjectSchema } from '../schema/model.ts'
import { type ApplyConflicts, type Conflict, describeConflicts } from './conflicts.ts'
import { FieldSet } from './field-set.ts'
import { allowedByLastApplied, withLastApplied } from './last-applied.ts'
import { type Manager, type Managers, managerKey, readManagers, writeManagers } from './managers.ts'
import { mergeTyped } from './merge.ts'
import { pathSet, recordUpdate, stripSystemFields, yieldFields } from './ownership.ts'
import { removeItems, withNamedFields } from './remove.ts'
import { toFieldSet } from './to-set.ts'
import { managedFieldsOf, withManagers, withoutManagers } from './update.ts'
import { validateTyped } from './validate.ts'

/** A configuration that cannot be applied; `code` is that of the Status upstream answers with. */
export class ApplyError extends Error {
  readonly code: 400 | 500

  constructor(code: 400 | 500, message: string) {
    super(message)
    this.name = 'ApplyError'
    this.code = code
  }
}

export interface ApplyOptions {
  readonly schema: ObjectSchema
  /** The stored object; undefined where the apply creates it. */
  readonly live: unknown
  /** The configuration as the client sent it, neither decoded nor defaulted. */
  readonly applied: unknown
  readonly manager: string
  readonly force: boolean
  readonly apiVersion: string
  readonly subresource: string
  /** RFC 3339, seconds. */
  readonly time: string
  /** Fields that the resource's strategy resets on this path: the manager does not come to own them, and they raise no conflict. */
  readonly resetFields?: ReadonlyArray<readonly string[]>
}

export interface Applied {
  /** The merged object, decoded and defaulted, with managedFields; the live object where there are conflicts. */
  readonly object: JsonObject
  readonly conflicts: ApplyConflicts | undefined
}

/**
 * Server-side apply: lays the configuration over the live object, removes what the manager applied before and leaves out now (unless somebody else owns
 * it), and finds the fields it would take from others.
 * @throws ApplyError where the configuration does not fit the schema; DecodeError where the merged object does not
 */
export function serverSideApply(options: ApplyOptions): Applied {
  const { schema } = options
  const applied = options.applied
  if (!isObject(applied)) throw new ApplyError(400, `error decoding YAML: json: cannot unmarshal ${Array.isArray(applied) ? 'array' : typeof applied} into Go value of type map[string]interface {}`)
  checkVersion(applied, options.apiVersion)
  if (managedFieldsOf(applied) !== undefined && managedFieldsOf(applied) !== null) throw new ApplyError(400, 'metadata.managedFields must be nil')
  const problem = validateTyped(schema, applied)
  if (problem !== undefined) throw new ApplyError(500, `failed to create typed patch object (${describe(applied)}): ${problem}`)

  const stored = isObject(options.live) ? options.live : undefined
  const live = withoutManagers(normalize(schema, stored ?? { apiVersion: applied['apiVersion'] ?? null, kind: applied['kind'] ?? null }))
  const ignored = pathSet(options.resetFields ?? [])
  const managers = beforeFirstApply(options, stored, live)
  let result = merge(options, live, applied, managers, options.force, ignored)
  if ('conflicts' in result && options.manager === 'kubectl') {
    // kubectl that changes over from client-side apply: what it had applied then is no conflict now.
    const allowed = allowedByLastApplied(schema, live, options.apiVersion)
    const open = result.conflicts.filter((c) => !allowed.has(c.path))
    result = open.length > 0 ? { conflicts: open } : merge(options, live, applied, managers, true, ignored)
  }
  if ('conflicts' in result) return { object: live, conflicts: describeConflicts(result.conflicts) }
  let object = decode(schema, result.object, 'ignore').object
  applyDefaults(schema, object)
  if (options.manager === 'kubectl') object = withLastApplied(object, applied)
  const isNoop = equal(withoutManagers(normalize(schema, object)), live) && sameSets(managers, result.managers)
  return { object: withManagers(object, writeManagers(isNoop ? managers : result.managers)), conflicts: undefined }
}

/** Whether two lists of managers differ in nothing but times: then a configuration that only writes the same values differently changes nothing. */
function sameSets(a: Managers, b: Managers): boolean {
  return a.size === b.size && [...a].every(([key, manager]) => {
    const other = b.get(key)
    return other !== undefined && other.apiVersion === manager.apiVersion && JSON.stringify(other.set.toFields()) === JSON.stringify(manager.set.toFields())
  })
}

function checkVersion(applied: JsonObject, apiVersion: string): void {
  const given = applied['apiVersion']
  if (given !== apiVersion) throw new ApplyError(400, `incorrect version specified in apply patch. Specified patch version: ${typeof given === 'string' ? given : ''}, expected: ${apiVersion}`)
}

/** `namespace/name; group/version, Kind=kind`, by which upstream names an object in errors. */
function describe(applied: JsonObject): string {
  const metadata = isObject(applied['metadata']) ? applied['metadata'] : {}
  const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '')
  const version = text(applied['apiVersion'])
  return `${text(metadata['namespace'])}/${text(metadata['name'])}; ${version.includes('/') ? version : `/${version}`}, Kind=${text(applied['kind'])}`
}

/** An object that nobody tracked so far: all its fields go to the manager `before-first-apply`. */
function beforeFirstApply(options: ApplyOptions, stored: JsonObject | undefined, live: JsonObject): Managers {
  const managers = readManagers(managedFieldsOf(stored)) ?? new Map<string, Manager>()
  if (managers.size > 0 || stored === undefined) return managers
  const { schema, apiVersion, subresource, time } = options
  const actor: Manager = { name: 'before-first-apply', operation: 'Update', apiVersion, subresource, time, set: new FieldSet() }
  const empty = withoutManagers(normalize(schema, {}))
  return recordUpdate(schema, empty, live, managers, actor, new FieldSet())
}

type Merged = { object: JsonObject; managers: Map<string, Manager> } | { conflicts: Conflict[] }

function merge(options: ApplyOptions, live: JsonObject, applied: JsonObject, managers: Managers, force: boolean, ignored: FieldSet): Merged {
  const { schema, apiVersion, subresource, time } = options
  const self: Manager = { name: options.manager, operation: 'Apply', apiVersion, subresource, time: undefined, set: toFieldSet(schema, applied).recursiveDifference(ignored) }
  const key = managerKey(self)
  const previous = managers.get(key)
  const all = new Map(managers).set(key, { ...self, time: previous?.time })
  const merged = mergeTyped(schema, live, applied) as JsonObject
  const pruned = prune(schema, merged, all, previous?.set)
  const change = yieldFields(schema, live, pruned, all, key, force, ignored)
  if ('conflicts' in change) return change
  const result = change.managers
  const isNoop = equal(live, pruned)
  const mine = result.get(key)
  if (mine && !isNoop) result.set(key, { ...mine, time })
  if (mine?.set.empty) result.delete(key)
  stripSystemFields(result, key)
  return { object: isNoop ? live : pruned, managers: result }
}

/** Takes out of the merged object what the manager applied last time, does not apply now, and nobody else owns. */
function prune(schema: ObjectSchema, merged: JsonObject, managers: Managers, last: FieldSet | undefined): JsonObject {
  if (last === undefined || last.empty) return merged
  const owned = [...managers.values()].reduce((set, m) => set.union(m.set), new FieldSet())
  const named = (set: FieldSet): FieldSet => withNamedFields(schema, set)
  const everything = named(toFieldSet(schema, merged))
  const stripped = removeItems(schema, merged, named(last))
  const withOwned = removeItems(schema, merged, everything.difference(named(toFieldSet(schema, stripped)).union(named(owned))))
  return removeItems(schema, merged, everything.difference(named(toFieldSet(schema, withOwned))).intersection(named(last))) as JsonObject
}
