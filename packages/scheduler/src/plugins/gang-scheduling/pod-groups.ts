import { defineResource } from '@berth/api'
import type { PodGroup } from '@berth/api/types/scheduling/v1alpha2'

/** PodGroups of scheduling.k8s.io/v1alpha2: behind the gate GenericWorkload, and served where an API server has that on. */
export const podGroups = defineResource<PodGroup>({
  group: 'scheduling.k8s.io', version: 'v1alpha2', resource: 'podgroups', singular: 'podgroup', kind: 'PodGroup', namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'], shortNames: [], categories: [], subresources: [],
})
