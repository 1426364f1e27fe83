/** What happened to the scheduler's own kinds, as far as it can make a pod schedulable (upstream: framework.ClusterEvent). */
type OwnEvent =
  | 'NodeAdded' | 'NodeAllocatableChanged' | 'NodeLabelsChanged' | 'NodeTaintsChanged' | 'NodeAnnotationsChanged' | 'NodeConditionsChanged' | 'NodeDeclaredFeaturesChanged' | 'NodeDeleted'
  | 'AssignedPodAdded' | 'AssignedPodUpdated' | 'AssignedPodDeleted'
  | 'UnscheduledPodUpdated'
  | 'NamespaceChanged'

/** An object of a kind that a plugin watches came, changed or went: `PersistentVolumeClaimAdded`, `ResourceClaimUpdated`. */
type ObjectEvent = `${string}${'Added' | 'Updated' | 'Deleted'}`

export type ClusterEvent = OwnEvent | ObjectEvent
