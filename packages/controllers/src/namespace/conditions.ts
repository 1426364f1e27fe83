import type { NamespaceCondition } from '@berth/api/types/core/v1'
import { wireTime } from '../common/pods.ts'

/** What a round of deleting a namespace's content found. */
export interface ContentReport {
  discoveryFailures: string[]
  deletionFailures: string[]
  /** Objects that are still there, by `resource.group`. */
  remaining: Map<string, number>
  /** Objects that are still there, by finalizer. */
  finalizers: Map<string, number>
}

const healthy: readonly Omit<NamespaceCondition, 'lastTransitionTime'>[] = [
  { type: 'NamespaceDeletionDiscoveryFailure', status: 'False', reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
  { type: 'NamespaceDeletionGroupVersionParsingFailure', status: 'False', reason: 'ParsedGroupVersions', message: 'All legacy kube types successfully parsed' },
  { type: 'NamespaceDeletionContentFailure', status: 'False', reason: 'ContentDeleted', message: 'All content successfully deleted, may be waiting on finalization' },
  { type: 'NamespaceContentRemaining', status: 'False', reason: 'ContentRemoved', message: 'All content successfully removed' },
  { type: 'NamespaceFinalizersRemaining', status: 'False', reason: 'ContentHasNoFinalizers', message: 'All content-preserving finalizers finished' },
]

/** The conditions of a namespace that is being deleted, in upstream's words. Transition times move only where a status changes. */
export function deletionConditions(known: readonly NamespaceCondition[], report: ContentReport, now: number): NamespaceCondition[] {
  const problems = new Map<string, { reason: string; message: string }>()
  if (report.discoveryFailures.length > 0) {
    // One failure to upstream, which counts the attempt and names the groups.
    problems.set('NamespaceDeletionDiscoveryFailure', { reason: 'DiscoveryFailed', message: `Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: ${list(report.discoveryFailures)}` })
  }
  if (report.deletionFailures.length > 0) {
    problems.set('NamespaceDeletionContentFailure', { reason: 'ContentDeletionFailed', message: `Failed to delete all resource types, ${report.deletionFailures.length} remaining: ${report.deletionFailures.toSorted().join(', ')}` })
  }
  if (report.remaining.size > 0) {
    const parts = sorted(report.remaining).map(([resource, count]) => `${resource} has ${count} resource instances`)
    problems.set('NamespaceContentRemaining', { reason: 'SomeResourcesRemain', message: `Some resources are remaining: ${parts.join(', ')}` })
  }
  if (report.finalizers.size > 0) {
    const parts = sorted(report.finalizers).map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
    problems.set('NamespaceFinalizersRemaining', { reason: 'SomeFinalizersRemain', message: `Some content in the namespace has finalizers remaining: ${parts.join(', ')}` })
  }
  const ours = new Set(healthy.map((condition) => condition.type))
  return [...known.filter((condition) => !ours.has(condition.type)), ...healthy.map((fine) => {
    const problem = problems.get(fine.type)
    const next = problem === undefined ? fine : { ...fine, status: 'True' as const, ...problem }
    const before = known.find((condition) => condition.type === fine.type)
    const lastTransitionTime = before !== undefined && before.status === next.status ? before.lastTransitionTime ?? wireTime(now) : wireTime(now)
    return { ...next, lastTransitionTime }
  })]
}

export function sameConditions(a: readonly NamespaceCondition[], b: readonly NamespaceCondition[]): boolean {
  const text = (conditions: readonly NamespaceCondition[]): string => JSON.stringify(conditions.map((c) => [c.type, c.status, c.reason, c.message]).toSorted())
  return text(a) === text(b)
}

function sorted(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].toSorted(([a], [b]) => a < b ? -1 : 1)
}

function list(texts: readonly string[]): string {
  return texts.toSorted().join(', ')
}
