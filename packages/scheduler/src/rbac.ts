import type { PolicyRule } from '@berth/api/types/rbac/v1'

const read = ['get', 'list', 'watch']
const rule = (apiGroup: string, resources: string[], verbs: string[]): PolicyRule => ({ apiGroups: [apiGroup], resources, verbs })

/**
 * What the scheduler asks of the API, and nothing else: the rules of a ClusterRole. In effect those of system:kube-scheduler and
 * system:volume-scheduler, but for what only kube-scheduler does. The lease is not among them: it takes a Role in its own namespace.
 */
export const schedulerRules: readonly PolicyRule[] = [
  // What it reads of the cluster.
  rule('', ['namespaces', 'nodes', 'persistentvolumeclaims', 'persistentvolumes', 'pods', 'replicationcontrollers', 'services'], read),
  rule('apps', ['replicasets', 'statefulsets'], read),
  rule('policy', ['poddisruptionbudgets'], read),
  rule('storage.k8s.io', ['csidrivers', 'csinodes', 'csistoragecapacities', 'storageclasses', 'volumeattachments'], read),
  rule('resource.k8s.io', ['deviceclasses', 'resourceclaims', 'resourceslices'], read),
  rule('scheduling.k8s.io', ['podgroups'], read),
  // What it decides.
  rule('', ['pods/binding'], ['create']),
  rule('', ['pods/status'], ['patch']),
  rule('', ['pods'], ['delete']),
  rule('', ['events'], ['create', 'patch']),
  // What pods need before they are bound.
  rule('', ['persistentvolumeclaims', 'persistentvolumes'], ['patch', 'update']),
  rule('resource.k8s.io', ['resourceclaims'], ['create', 'delete', 'patch', 'update']),
  rule('resource.k8s.io', ['resourceclaims/binding', 'resourceclaims/status'], ['patch', 'update']),
  // Whoever may set the finalizers of a pod may make claims that belong to it.
  rule('', ['pods/finalizers'], ['update']),
  // Who may read its metrics is asked of the API server.
  rule('authentication.k8s.io', ['tokenreviews'], ['create']),
  rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
]
