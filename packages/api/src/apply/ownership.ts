/** Who owns what after a change: the rules that updates and applies share. */
import type { Json } from '../schema/model.ts'
import { type Comparison, compare } from './compare.ts'
import type { Conflict } from './conflicts.ts'
import { FieldSet } from './field-set.ts'
import { type Manager, type Managers, managerKey } from './managers.ts'
import { compareElements, fieldElement } from './path-element.ts'
import type { Typed } from './shape.ts'

/** Fields of metadata that nobody owns. */
const systemFields = FieldSet.of(
  ...['apiVersion', 'kind', 'metadata'].map((name) => [fieldElement(name)]),
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map((name) => ['f:metadata', fieldElement(name)]),
)

/** Upstream's bound on the entries of updaters, and the name under which older ones are put together. */
const maxUpdaters = 10
const ancientChanges = 'ancient-changes'

/** The paths (`['status']`, `['spec', 'x']`) that a resource's strategy resets, as a set. */
export function pathSet(paths: ReadonlyArray<readonly string[]>): FieldSet {
  return FieldSet.of(...paths.map((path) => path.map(fieldElement)))
}

export interface Change {
  readonly managers: Map<string, Manager>
  readonly comparison: Comparison
}

/**
 * Takes from all managers but one what a change took away from them or changed under them.
 * @returns the remaining managers, or the conflicts where the change is not forced
 */
export function yieldFields(type: Typed, before: Json, after: Json, managers: Managers, actor: string, force: boolean, ignored: FieldSet): Change | { conflicts: Conflict[] } {
  const whole = compare(type, before, after)
  const comparison: Comparison = ignored.empty ? whole : {
    added: whole.added.recursiveDifference(ignored), modified: whole.modified.recursiveDifference(ignored), removed: whole.removed.recursiveDifference(ignored),
  }
  const changed = comparison.modified.union(comparison.added)
  const conflicts: Conflict[] = []
  const remaining = new Map<string, Manager>()
  for (const [key, manager] of managers) {
    if (key === actor) {
      remaining.set(key, manager)
      continue
    }
    const contested = manager.set.intersection(changed)
    for (const path of contested.paths()) conflicts.push({ manager, path })
    const set = manager.set.difference(contested).difference(comparison.removed)
    if (!set.empty) remaining.set(key, set === manager.set ? manager : { ...manager, set })
  }
  if (!force && conflicts.length > 0) return { conflicts: sortConflicts(conflicts) }
  return { managers: remaining, comparison }
}

function sortConflicts(conflicts: Conflict[]): Conflict[] {
  return conflicts.sort((a, b) => {
    const [left, right] = [managerKey(a.manager), managerKey(b.manager)]
    if (left !== right) return left < right ? -1 : 1
    for (let i = 0; i < Math.min(a.path.length, b.path.length); i++) {
      const order = compareElements(a.path[i] ?? '', b.path[i] ?? '')
      if (order !== 0) return order
    }
    return a.path.length - b.path.length
  })
}

/** Drops system fields from a manager's set, and the manager if nothing is left. */
export function stripSystemFields(managers: Map<string, Manager>, key: string): void {
  const manager = managers.get(key)
  if (!manager) return
  const set = manager.set.difference(systemFields)
  if (set.empty) managers.delete(key)
  else managers.set(key, { ...manager, set })
}

/** An update of one manager: it owns what it changed or added, besides what it had. */
export function recordUpdate(type: Typed, before: Json, after: Json, managers: Managers, actor: Manager, ignored: FieldSet): Map<string, Manager> {
  // The change is looked at as somebody else's, so that its manager's time moves only if the change took or changed a field.
  const change = yieldFields(type, before, after, managers, '', true, ignored)
  if ('conflicts' in change) return new Map(managers)
  const result = change.managers
  const { added, modified } = change.comparison
  const taken = modified.union(added).recursiveDifference(ignored).difference(systemFields)
  if (!taken.empty) {
    const key = managerKey(actor)
    const previous = result.get(key)
    result.set(key, { ...actor, set: previous ? previous.set.union(taken) : taken })
  }
  return capUpdaters(result)
}

/** Keeps at most ten updaters: the oldest of them become one entry per version. */
function capUpdaters(managers: Map<string, Manager>): Map<string, Manager> {
  const updaters = [...managers].filter(([, m]) => m.operation === 'Update')
  if (updaters.length <= maxUpdaters) return managers
  updaters.sort(([a, x], [b, y]) => Date.parse(x.time ?? '1970-01-01T00:00:00Z') - Date.parse(y.time ?? '1970-01-01T00:00:00Z') || (a < b ? -1 : 1))
  const merged = new Map<string, Manager>()
  let count = updaters.length
  for (const [key, manager] of updaters) {
    if (count <= maxUpdaters) break
    managers.delete(key)
    const known = merged.get(manager.apiVersion)
    if (known) count--
    const bucket: Manager = { ...manager, name: ancientChanges, subresource: '', set: known ? known.set.union(manager.set) : manager.set }
    merged.set(manager.apiVersion, bucket)
  }
  for (const bucket of merged.values()) {
    const key = managerKey(bucket)
    const before = managers.get(key)
    managers.set(key, before ? { ...bucket, set: before.set.union(bucket.set) } : bucket)
  }
  return managers
}
