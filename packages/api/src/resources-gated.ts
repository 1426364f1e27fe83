// Resources that a stock server serves only where it is asked to: discovery does not list them, so they are written down by hand.
import { defineResource } from './resource.ts'
import type { PodGroup, Workload } from './types/scheduling/v1alpha2.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** Resources of scheduling.k8s.io, v1alpha2. */
export const schedulingV1alpha2 = {
  podgroups: defineResource<PodGroup>({
    group: 'scheduling.k8s.io', version: 'v1alpha2', resource: 'podgroups', singular: 'podgroup', kind: 'PodGroup', namespaced: true, verbs, shortNames: [], categories: [],
    subresources: [{ name: 'status', group: '', version: '', kind: 'PodGroup', verbs: ['get', 'patch', 'update'] }],
  }),
  workloads: defineResource<Workload>({ group: 'scheduling.k8s.io', version: 'v1alpha2', resource: 'workloads', singular: 'workload', kind: 'Workload', namespaced: true, verbs, shortNames: [], categories: [], subresources: [] }),
}
