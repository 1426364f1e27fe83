// What a deletion does to an object: pure rules of upstream's rest.BeforeDelete and deletionFinalizersForGarbageCollection.
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from './definition.ts'
import { formatTime } from './values.ts'

/** metav1.DeleteOptions as the registry needs them. */
export interface DeleteOptions {
  gracePeriodSeconds?: number
  preconditions?: { uid?: string, resourceVersion?: string }
  orphanDependents?: boolean
  propagationPolicy?: string
}

const orphanFinalizer = 'orphan'
const foregroundFinalizer = 'foregroundDeletion'

/** Changes `object` (a copy of the live one) as the deletion demands and says whether it goes at once or stays, marked. */
export function settleDeletion(definition: ResourceDefinition, object: ApiObject, options: DeleteOptions, now: number): 'remove' | 'keep' {
  const meta = object.metadata
  const graceful = markGracefully(definition, object, options, now)
  if (graceful === 'already') return 'keep'
  const finalizers = finalizersAfter(meta.finalizers ?? [], options, definition.orphansByDefault)
  const held = finalizers.length > 0 || (definition.hasMoreFinalizers?.(object) ?? false)
  if (graceful === 'none' && !held) return 'remove'
  if (finalizers.length > 0) meta.finalizers = finalizers
  else delete meta.finalizers
  if (graceful === 'none') markNow(object, now)
  definition.markDeleting?.(object)
  if (held) return 'keep'
  return (meta.deletionGracePeriodSeconds ?? 0) > 0 ? 'keep' : 'remove'
}

/** Graceful deletion: sets or shortens the grace period. `already` when it is under way and stays as it is. */
function markGracefully(definition: ResourceDefinition, object: ApiObject, options: DeleteOptions, now: number): 'marked' | 'already' | 'none' {
  if (!definition.gracePeriod) return 'none'
  const meta = object.metadata
  const asked = options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds
  if (meta.deletionTimestamp !== undefined) {
    const before = meta.deletionGracePeriodSeconds
    if (before === undefined) return 'none'
    if (asked === undefined || asked >= before) return before === 0 && (meta.finalizers?.length ?? 0) === 0 ? 'none' : 'already'
    const started = Date.parse(meta.deletionTimestamp) - before * 1000
    meta.deletionTimestamp = formatTime(started + asked * 1000)
    meta.deletionGracePeriodSeconds = asked
    return 'marked'
  }
  const period = definition.gracePeriod(object, asked)
  if (period === undefined) return 'none'
  meta.deletionTimestamp = formatTime(now + period * 1000)
  meta.deletionGracePeriodSeconds = period
  if ((meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1
  return 'marked'
}

/** No grace: the deletion's time is now. */
function markNow(object: ApiObject, now: number): void {
  const meta = object.metadata
  if (meta.deletionTimestamp === undefined) {
    if ((meta.generation ?? 0) > 0) meta.generation = (meta.generation ?? 0) + 1
    meta.deletionTimestamp = formatTime(now)
  }
  meta.deletionGracePeriodSeconds = 0
}

/** metadata.finalizers after the garbage collector's two are set as the options (or what was there) say. */
function finalizersAfter(finalizers: readonly string[], options: DeleteOptions, orphansByDefault = false): string[] {
  const explicit = options.orphanDependents !== undefined || options.propagationPolicy !== undefined
  const orphan = options.orphanDependents ?? (options.propagationPolicy !== undefined ? options.propagationPolicy === 'Orphan'
    : finalizers.includes(orphanFinalizer) || (orphansByDefault && !finalizers.includes(foregroundFinalizer)))
  const foreground = options.propagationPolicy !== undefined
    ? options.propagationPolicy === 'Foreground'
    : !explicit && finalizers.includes(foregroundFinalizer)
  const rest = finalizers.filter((f) => f !== orphanFinalizer && f !== foregroundFinalizer)
  if (orphan) rest.push(orphanFinalizer)
  if (foreground) rest.push(foregroundFinalizer)
  return rest
}
