import { isDeepStrictEqual } from 'node:util'
import type { Node } from '@berth/api/types/core/v1'
import type { ClusterEvent } from '../queue/events.ts'

/** What about a node changed that can make a pod schedulable; nothing for a heartbeat. */
export function nodeEvents(old: Node, now: Node): ClusterEvent[] {
  const events: ClusterEvent[] = []
  if (!isDeepStrictEqual(old.status?.allocatable, now.status?.allocatable)) events.push('NodeAllocatableChanged')
  if (!isDeepStrictEqual(old.metadata.labels, now.metadata.labels)) events.push('NodeLabelsChanged')
  if (!isDeepStrictEqual(old.spec.taints, now.spec.taints) || old.spec.unschedulable !== now.spec.unschedulable) events.push('NodeTaintsChanged')
  if (!isDeepStrictEqual(old.metadata.annotations, now.metadata.annotations)) events.push('NodeAnnotationsChanged')
  if (!isDeepStrictEqual(old.status?.declaredFeatures, now.status?.declaredFeatures)) events.push('NodeDeclaredFeaturesChanged')
  return events
}
