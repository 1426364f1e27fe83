import type { OwnerReference } from '@berth/api/types/meta/v1'
import type { ApiObject } from '../common/owners.ts'
import { foregroundFinalizer, orphanFinalizer } from './graph.ts'

/** What the server said of one owner. */
export type OwnerState = 'solid' | 'dangling' | 'waiting'

/** What to do with an object, given its owners. */
export type Verdict =
  | { act: 'keep' }
  /** Take these references away; others hold it. */
  | { act: 'unlink'; uids: string[] }
  /** Delete it; with `unblock`, first let its dependents stop blocking it (a circle of foreground deletions). */
  | { act: 'delete'; propagationPolicy: 'Foreground' | 'Background' | 'Orphan'; unblock: boolean }

/**
 * Upstream's attemptToDeleteItem: an object stays while one owner is solid (it loses references to owners that are gone or wait for it); without
 * one it goes, in the foreground where an owner waits and it has dependents itself.
 */
export function decide(object: ApiObject, states: ReadonlyMap<string, OwnerState>, hasDependents: boolean, dependentsAreDeletingTheirs: boolean): Verdict {
  const owners: OwnerReference[] = object.metadata.ownerReferences ?? []
  if (owners.length === 0) return { act: 'keep' }
  const of = (state: OwnerState): string[] => owners.filter((owner) => (states.get(owner.uid) ?? 'solid') === state).map((owner) => owner.uid)
  const solid = of('solid')
  const gone = [...of('dangling'), ...of('waiting')]
  if (solid.length > 0) return gone.length === 0 ? { act: 'keep' } : { act: 'unlink', uids: gone }
  if (of('waiting').length > 0 && hasDependents) return { act: 'delete', propagationPolicy: 'Foreground', unblock: dependentsAreDeletingTheirs }
  const finalizers = object.metadata.finalizers ?? []
  const propagationPolicy = finalizers.includes(orphanFinalizer) ? 'Orphan' : finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background'
  return { act: 'delete', propagationPolicy, unblock: false }
}
