// Every resource that is stored, one line each. A view comes after the resource it is a view of.
import type { ResourceDefinition } from '../registry/definition.ts'
import { configmaps } from './configmaps.ts'
import { deployments } from './deployments.ts'
import { endpoints } from './endpoints.ts'
import { endpointslices } from './endpointslices.ts'
import { coreEvents, groupEvents } from './events.ts'
import { leases } from './leases.ts'
import { namespaces } from './namespaces.ts'
import { ipaddresses, servicecidrs } from './networking.ts'
import { nodes } from './nodes.ts'
import { pods } from './pods.ts'
import { priorityclasses } from './priorityclasses.ts'
import { clusterrolebindings, clusterroles, rolebindings, roles } from './rbac.ts'
import { replicasets } from './replicasets.ts'
import { secrets } from './secrets.ts'
import { serviceaccounts } from './serviceaccounts.ts'
import { services } from './services.ts'

export const storedResources: readonly ResourceDefinition[] = [
  configmaps,
  endpoints,
  coreEvents,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceaccounts,
  services,
  deployments,
  replicasets,
  leases,
  endpointslices,
  groupEvents,
  ipaddresses,
  servicecidrs,
  clusterrolebindings,
  clusterroles,
  rolebindings,
  roles,
  priorityclasses,
]
