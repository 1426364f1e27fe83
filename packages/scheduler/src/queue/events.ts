/** What happened in the cluster, as far as it can make a pod schedulable (upstream: framework.ClusterEvent). */
export type ClusterEvent =
  | 'NodeAdded' | 'NodeAllocatableChanged' | 'NodeLabelsChanged' | 'NodeTaintsChanged' | 'NodeDeleted'
  | 'AssignedPodAdded' | 'AssignedPodUpdated' | 'AssignedPodDeleted'
  | 'UnscheduledPodUpdated'
  | 'NamespaceChanged'
