import { readDescriptions } from '../openapi/descriptions.ts'
import type { GroupVersionKind } from '../schema/index.ts'
import type { KindTable, TableColumnDefinition } from './column.ts'
import { apiServiceTable } from './api-service.ts'
import { certificateSigningRequestTable } from './certificate-signing-request.ts'
import { componentStatusTable } from './component-status.ts'
import { configMapTable } from './config-map.ts'
import { controllerRevisionTable } from './controller-revision.ts'
import { csiDriverTable, csiNodeTable, csiStorageCapacityTable } from './csi.ts'
import { daemonSetTable } from './daemon-set.ts'
import { flowSchemaTable, priorityLevelTable } from './flow-control.ts'
import { horizontalPodAutoscalerTable, horizontalPodAutoscalerV1Table } from './horizontal-pod-autoscaler.ts'
import { ingressClassTable, ingressTable, networkPolicyTable } from './ingress.ts'
import { cronJobTable, jobTable } from './job.ts'
import { persistentVolumeClaimTable } from './persistent-volume-claim.ts'
import { persistentVolumeTable } from './persistent-volume.ts'
import { podDisruptionBudgetTable } from './pod-disruption-budget.ts'
import { podGroupTable } from './pod-group.ts'
import { podTemplateTable } from './pod-template.ts'
import { replicationControllerTable } from './replication-controller.ts'
import { nameAndAgeTable, resourceClaimTable, resourceSliceTable } from './resource-api.ts'
import { resourceQuotaTable } from './resource-quota.ts'
import { runtimeClassTable } from './runtime-class.ts'
import { statefulSetTable } from './stateful-set.ts'
import { storageClassTable } from './storage-class.ts'
import { volumeAttachmentTable } from './volume-attachment.ts'
import { volumeAttributesClassTable } from './volume-attributes-class.ts'
import { deploymentTable } from './deployment.ts'
import { endpointSliceTable } from './endpoint-slice.ts'
import { endpointsTable } from './endpoints.ts'
import { eventTable, newEventTable } from './event.ts'
import { genericTable } from './generic.ts'
import { ipAddressTable } from './ip-address.ts'
import { leaseTable } from './lease.ts'
import { namespaceTable } from './namespace.ts'
import { nodeTable } from './node.ts'
import { podTable } from './pod.ts'
import { priorityClassTable } from './priority-class.ts'
import { replicaSetTable } from './replica-set.ts'
import { clusterRoleBindingTable, roleBindingTable } from './role-binding.ts'
import { scaleTable } from './scale.ts'
import { secretTable } from './secret.ts'
import { serviceAccountTable } from './service-account.ts'
import { serviceCidrTable } from './service-cidr.ts'
import { serviceTable } from './service.ts'
import { admissionPolicyBindingTable, mutatingAdmissionPolicyTable, validatingAdmissionPolicyTable, webhookConfigurationTable } from './webhook-configuration.ts'

/** Tables by group/version/kind, one line a kind; kinds without a line have the generic one. */
const kinds: Readonly<Record<string, KindTable<never>>> = {
  '/v1/ComponentStatus': componentStatusTable,
  '/v1/ConfigMap': configMapTable,
  '/v1/Endpoints': endpointsTable,
  '/v1/Event': eventTable,
  '/v1/Namespace': namespaceTable,
  '/v1/Node': nodeTable,
  '/v1/PersistentVolume': persistentVolumeTable,
  '/v1/PersistentVolumeClaim': persistentVolumeClaimTable,
  '/v1/Pod': podTable,
  '/v1/PodTemplate': podTemplateTable,
  '/v1/ReplicationController': replicationControllerTable,
  '/v1/ResourceQuota': resourceQuotaTable,
  '/v1/Secret': secretTable,
  '/v1/Service': serviceTable,
  '/v1/ServiceAccount': serviceAccountTable,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': mutatingAdmissionPolicyTable,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding': admissionPolicyBindingTable,
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': webhookConfigurationTable,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': validatingAdmissionPolicyTable,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': admissionPolicyBindingTable,
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': webhookConfigurationTable,
  'apiregistration.k8s.io/v1/APIService': apiServiceTable,
  'apps/v1/ControllerRevision': controllerRevisionTable,
  'apps/v1/DaemonSet': daemonSetTable,
  'apps/v1/Deployment': deploymentTable,
  'apps/v1/ReplicaSet': replicaSetTable,
  'apps/v1/StatefulSet': statefulSetTable,
  'autoscaling/v1/HorizontalPodAutoscaler': horizontalPodAutoscalerV1Table,
  'autoscaling/v2/HorizontalPodAutoscaler': horizontalPodAutoscalerTable,
  'autoscaling/v1/Scale': scaleTable,
  'batch/v1/CronJob': cronJobTable,
  'batch/v1/Job': jobTable,
  'certificates.k8s.io/v1/CertificateSigningRequest': certificateSigningRequestTable,
  'coordination.k8s.io/v1/Lease': leaseTable,
  'discovery.k8s.io/v1/EndpointSlice': endpointSliceTable,
  'events.k8s.io/v1/Event': newEventTable,
  'flowcontrol.apiserver.k8s.io/v1/FlowSchema': flowSchemaTable,
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration': priorityLevelTable,
  'networking.k8s.io/v1/IPAddress': ipAddressTable,
  'networking.k8s.io/v1/Ingress': ingressTable,
  'networking.k8s.io/v1/IngressClass': ingressClassTable,
  'networking.k8s.io/v1/NetworkPolicy': networkPolicyTable,
  'networking.k8s.io/v1/ServiceCIDR': serviceCidrTable,
  'node.k8s.io/v1/RuntimeClass': runtimeClassTable,
  'policy/v1/PodDisruptionBudget': podDisruptionBudgetTable,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': clusterRoleBindingTable,
  'rbac.authorization.k8s.io/v1/RoleBinding': roleBindingTable,
  'resource.k8s.io/v1/DeviceClass': nameAndAgeTable,
  'resource.k8s.io/v1/ResourceClaim': resourceClaimTable,
  'resource.k8s.io/v1/ResourceClaimTemplate': nameAndAgeTable,
  'resource.k8s.io/v1/ResourceSlice': resourceSliceTable,
  'scheduling.k8s.io/v1/PriorityClass': priorityClassTable,
  'scheduling.k8s.io/v1alpha2/PodGroup': podGroupTable,
  'scheduling.k8s.io/v1alpha2/Workload': nameAndAgeTable,
  'storage.k8s.io/v1/CSIDriver': csiDriverTable,
  'storage.k8s.io/v1/CSINode': csiNodeTable,
  'storage.k8s.io/v1/CSIStorageCapacity': csiStorageCapacityTable,
  'storage.k8s.io/v1/StorageClass': storageClassTable,
  'storage.k8s.io/v1/VolumeAttachment': volumeAttachmentTable,
  'storage.k8s.io/v1/VolumeAttributesClass': volumeAttributesClassTable,
}

const tableOf = ({ group, version, kind }: GroupVersionKind): KindTable<never> => kinds[`${group}/${version}/${kind}`] ?? genericTable

/** Columns with their descriptions, made once for all kinds: reading the descriptions is costly, keeping them all more so. */
let definitions: Map<KindTable<never>, TableColumnDefinition[]> | undefined

/** The declarations that descriptions are read from run paragraphs together; where two spaces are such an end, and not how somebody types. */
const paragraphs = (text: string, home: string, field: string): string => (field === 'creationTimestamp' || home === 'resource/v1' ? text.replaceAll('.  ', '.\n\n') : text)

function defineAll(): Map<KindTable<never>, TableColumnDefinition[]> {
  const descriptions = readDescriptions()
  const describe = (home: string, type: string, field: string): string => paragraphs(descriptions(home, type, field) ?? '', home, field)
  return new Map([...Object.values(kinds), genericTable].map((table) => [table, table.columns.map(({ name, type = 'string', format = '', description, wide }) => ({
    name, type, format, description: typeof description === 'string' ? description : describe(...description), priority: wide ? 1 : 0,
  }))]))
}

/** The columns in which a stock server shows objects of a kind, those of `-o wide` too. */
export function tableColumns(gvk: GroupVersionKind): TableColumnDefinition[] {
  definitions ??= defineAll()
  return definitions.get(tableOf(gvk)) ?? []
}

/** An object's cells, one a column; ages are relative to `now`. */
export function tableCells(gvk: GroupVersionKind, object: object, now: Date): unknown[] {
  return tableOf(gvk).cells(object as never, now)
}
