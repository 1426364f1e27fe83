/** What happened to the scheduler's own kinds, as far as it can make a pod schedulable (upstream: framework.ClusterEvent). */
type OwnEvent =
  | 'NodeAdded' | 'NodeAllocatableChanged' | 'NodeLabelsChanged' | 'NodeTaintsChanged' | 'NodeAnnotationsChanged' | 'NodeConditionsChanged' | 'NodeDeclaredFeaturesChanged' | 'NodeDeleted'
  | 'AssignedPodAdded' | 'AssignedPodUpdated' | 'AssignedPodDeleted'
  | 'UnscheduledPodUpdated'
  | 'NamespaceChanged'

/** An object of a kind that a plugin watches came, changed or went: `PersistentVolumeClaimAdded`, `ResourceClaimUpdated`. */
type ObjectEvent = `${string}${'Added' | 'Updated' | 'Deleted'}`

export type ClusterEvent = OwnEvent | ObjectEvent

/** Why a pod enters a queue: an event, or one of the queue's own reasons under upstream's names. */
export type Incoming = ClusterEvent | 'UnscheduledPodAdd' | 'UnscheduledPodUpdate' | 'BackoffComplete' | 'ScheduleAttemptFailure' | 'ForceActivate' | 'UnschedulableTimeout'

const upstreamNames: Readonly<Record<string, string>> = {
  NodeAdded: 'NodeAdd', NodeDeleted: 'NodeDelete', NodeAllocatableChanged: 'NodeUpdateNodeAllocatable', NodeLabelsChanged: 'NodeUpdateNodeLabel', NodeTaintsChanged: 'NodeUpdateNodeTaint',
  NodeAnnotationsChanged: 'NodeUpdateNodeAnnotation', NodeConditionsChanged: 'NodeUpdateNodeCondition', NodeDeclaredFeaturesChanged: 'NodeUpdateNodeDeclaredFeature',
  NamespaceChanged: 'NamespaceUpdate', UnscheduledPodUpdated: 'UnscheduledPodUpdate',
}

/** The event's label in upstream's metrics: `NodeAdd`, `AssignedPodDelete`, `PersistentVolumeClaimUpdate`. */
export function eventLabel(event: Incoming): string {
  return upstreamNames[event] ?? event.replace(/(Add|Update|Delete)(?:e?d)$/, '$1')
}
