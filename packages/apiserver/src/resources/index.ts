// Every resource that is stored, one line each. A view comes after the resource it is a view of.
import type { ResourceDefinition } from '../registry/definition.ts'
import { mutatingadmissionpolicies, mutatingadmissionpolicybindings, mutatingwebhookconfigurations, validatingadmissionpolicies, validatingadmissionpolicybindings, validatingwebhookconfigurations } from './admissionregistration.ts'
import { apiservices } from './apiservices.ts'
import { certificatesigningrequests } from './certificatesigningrequests.ts'
import { componentstatuses } from './componentstatuses.ts'
import { configmaps } from './configmaps.ts'
import { controllerrevisions } from './controllerrevisions.ts'
import { customresourcedefinitions } from './customresourcedefinitions.ts'
import { daemonsets } from './daemonsets.ts'
import { deployments } from './deployments.ts'
import { endpoints } from './endpoints.ts'
import { endpointslices } from './endpointslices.ts'
import { coreEvents, groupEvents } from './events.ts'
import { flowschemas, prioritylevelconfigurations } from './flowcontrol.ts'
import { horizontalpodautoscalers, horizontalpodautoscalersV1 } from './horizontalpodautoscalers.ts'
import { ingressclasses, ingresses, networkpolicies } from './ingresses.ts'
import { cronjobs, jobs } from './jobs.ts'
import { leases } from './leases.ts'
import { limitranges, resourcequotas } from './limits.ts'
import { namespaces } from './namespaces.ts'
import { ipaddresses, servicecidrs } from './networking.ts'
import { nodes } from './nodes.ts'
import { persistentvolumeclaims } from './persistentvolumeclaims.ts'
import { persistentvolumes } from './persistentvolumes.ts'
import { poddisruptionbudgets } from './poddisruptionbudgets.ts'
import { pods } from './pods.ts'
import { withGatedPodSpec } from './pod-specs.ts'
import { podtemplates } from './podtemplates.ts'
import { priorityclasses } from './priorityclasses.ts'
import { clusterrolebindings, clusterroles, rolebindings, roles } from './rbac.ts'
import { replicasets } from './replicasets.ts'
import { replicationcontrollers } from './replicationcontrollers.ts'
import { deviceclasses, resourceclaims, resourceclaimtemplates, resourceslices } from './resource-api.ts'
import { runtimeclasses } from './runtimeclasses.ts'
import { podgroups, workloads } from './scheduling-alpha.ts'
import { secrets } from './secrets.ts'
import { serviceaccounts } from './serviceaccounts.ts'
import { services } from './services.ts'
import { statefulsets } from './statefulsets.ts'
import { csidrivers, csinodes, csistoragecapacities, storageclasses, volumeattachments, volumeattributesclasses } from './storage.ts'

const definitions: readonly ResourceDefinition[] = [
  configmaps,
  endpoints,
  coreEvents,
  namespaces,
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  replicationcontrollers,
  secrets,
  serviceaccounts,
  services,
  deployments,
  replicasets,
  statefulsets,
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
  podgroups,
  workloads,
  poddisruptionbudgets,
  csidrivers,
  csinodes,
  csistoragecapacities,
  storageclasses,
  volumeattachments,
  volumeattributesclasses,
  deviceclasses,
  resourceclaims,
  resourceclaimtemplates,
  resourceslices,
  daemonsets,
  controllerrevisions,
  podtemplates,
  cronjobs,
  jobs,
  ingressclasses,
  ingresses,
  networkpolicies,
  horizontalpodautoscalers,
  horizontalpodautoscalersV1,
  apiservices,
  customresourcedefinitions,
  mutatingadmissionpolicies,
  mutatingadmissionpolicybindings,
  mutatingwebhookconfigurations,
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
  validatingwebhookconfigurations,
  certificatesigningrequests,
  flowschemas,
  prioritylevelconfigurations,
  limitranges,
  resourcequotas,
  runtimeclasses,
  componentstatuses,
]

/** Everything that is served and stored. */
export const storedResources: readonly ResourceDefinition[] = definitions.map(withGatedPodSpec)
