import { apiServiceValidation } from './api-service.ts'
import { bindingValidation } from './binding.ts'
import { certificateSigningRequestValidation } from './certificate-signing-request.ts'
import { isRecord } from './common.ts'
import { controllerRevisionValidation } from './controller-revision.ts'
import { cronJobValidation } from './cron-job.ts'
import { customResourceDefinitionValidation } from './custom-resource-definition.ts'
import { daemonSetValidation } from './daemon-set.ts'
import { flowSchemaValidation } from './flow-schema.ts'
import { horizontalPodAutoscalerValidation } from './horizontal-pod-autoscaler.ts'
import { ingressClassValidation, ingressValidation } from './ingress.ts'
import { jobValidation } from './job.ts'
import { limitRangeValidation } from './limit-range.ts'
import { mutatingAdmissionPolicyBindingValidation, mutatingAdmissionPolicyValidation } from './mutating-admission-policy.ts'
import { networkPolicyValidation } from './network-policy.ts'
import { podTemplateValidation } from './pod-template.ts'
import { priorityLevelValidation } from './priority-level.ts'
import { resourceQuotaValidation } from './resource-quota.ts'
import { clusterRoleBindingValidation, roleBindingValidation } from './role-binding.ts'
import { clusterRoleValidation, roleValidation } from './role.ts'
import { configMapValidation } from './config-map.ts'
import { csiDriverValidation, csiNodeValidation, csiStorageCapacityValidation } from './csi.ts'
import { deviceClassValidation } from './device-class.ts'
import { persistentVolumeClaimValidation } from './persistent-volume-claim.ts'
import { persistentVolumeValidation } from './persistent-volume.ts'
import { podDisruptionBudgetValidation } from './pod-disruption-budget.ts'
import { podGroupValidation, workloadValidation } from './pod-group.ts'
import { replicationControllerValidation } from './replication-controller.ts'
import { resourceClaimTemplateValidation, resourceClaimValidation } from './resource-claim.ts'
import { resourceSliceValidation } from './resource-slice.ts'
import { runtimeClassValidation } from './runtime-class.ts'
import { statefulSetValidation } from './stateful-set.ts'
import { storageClassValidation, volumeAttributesClassValidation } from './storage-class.ts'
import { validatingAdmissionPolicyBindingValidation, validatingAdmissionPolicyValidation } from './validating-admission-policy.ts'
import { volumeAttachmentValidation } from './volume-attachment.ts'
import { deploymentValidation } from './deployment.ts'
import { endpointSliceValidation } from './endpoint-slice.ts'
import { endpointsValidation } from './endpoints.ts'
import { eventValidation, newEventValidation } from './event.ts'
import { evictionValidation } from './eviction.ts'
import type { FieldError } from './field-errors.ts'
import { ipAddressValidation } from './ip-address.ts'
import type { GroupVersionKind, KindValidation, ValidationOptions } from './kind.ts'
import { leaseValidation } from './lease.ts'
import { namespaceValidation } from './namespace.ts'
import { nodeValidation } from './node.ts'
import { checkGenericMeta, checkGenericMetaUpdate, metaOf, nameIsPathSegment } from './object-meta.ts'
import { podValidation } from './pod.ts'
import { priorityClassValidation } from './priority-class.ts'
import { replicaSetValidation } from './replica-set.ts'
import { scaleValidation } from './scale.ts'
import { secretValidation } from './secret.ts'
import { serviceAccountValidation } from './service-account.ts'
import { serviceCidrValidation } from './service-cidr.ts'
import { serviceValidation } from './service.ts'
import { localSubjectAccessReviewValidation, selfSubjectAccessReviewValidation, selfSubjectRulesReviewValidation, subjectAccessReviewValidation } from './subject-access-review.ts'
import { selfSubjectReviewValidation, tokenRequestValidation, tokenReviewValidation } from './token.ts'
import { webhookConfigurationValidation } from './webhook-configuration.ts'

/** The rules by group/version/kind, one line a kind. */
const kinds: Readonly<Record<string, KindValidation<never>>> = {
  '/v1/Binding': bindingValidation,
  '/v1/ConfigMap': configMapValidation,
  '/v1/Endpoints': endpointsValidation,
  '/v1/Event': eventValidation,
  '/v1/Namespace': namespaceValidation,
  '/v1/Node': nodeValidation,
  '/v1/PersistentVolume': persistentVolumeValidation,
  '/v1/PersistentVolumeClaim': persistentVolumeClaimValidation,
  '/v1/Pod': podValidation,
  '/v1/PodTemplate': podTemplateValidation,
  '/v1/ReplicationController': replicationControllerValidation,
  '/v1/Secret': secretValidation,
  '/v1/Service': serviceValidation,
  '/v1/ServiceAccount': serviceAccountValidation,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': mutatingAdmissionPolicyValidation,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding': mutatingAdmissionPolicyBindingValidation,
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': webhookConfigurationValidation,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': validatingAdmissionPolicyValidation,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': validatingAdmissionPolicyBindingValidation,
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': webhookConfigurationValidation,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': customResourceDefinitionValidation,
  'apiregistration.k8s.io/v1/APIService': apiServiceValidation,
  'apps/v1/ControllerRevision': controllerRevisionValidation,
  'apps/v1/DaemonSet': daemonSetValidation,
  'apps/v1/Deployment': deploymentValidation,
  'apps/v1/ReplicaSet': replicaSetValidation,
  'apps/v1/StatefulSet': statefulSetValidation,
  'authentication.k8s.io/v1/SelfSubjectReview': selfSubjectReviewValidation,
  'authentication.k8s.io/v1/TokenRequest': tokenRequestValidation,
  'authentication.k8s.io/v1/TokenReview': tokenReviewValidation,
  'authorization.k8s.io/v1/LocalSubjectAccessReview': localSubjectAccessReviewValidation,
  'authorization.k8s.io/v1/SelfSubjectAccessReview': selfSubjectAccessReviewValidation,
  'authorization.k8s.io/v1/SelfSubjectRulesReview': selfSubjectRulesReviewValidation,
  'authorization.k8s.io/v1/SubjectAccessReview': subjectAccessReviewValidation,
  'autoscaling/v1/Scale': scaleValidation,
  'autoscaling/v2/HorizontalPodAutoscaler': horizontalPodAutoscalerValidation,
  'batch/v1/CronJob': cronJobValidation,
  'batch/v1/Job': jobValidation,
  'certificates.k8s.io/v1/CertificateSigningRequest': certificateSigningRequestValidation,
  'coordination.k8s.io/v1/Lease': leaseValidation,
  'discovery.k8s.io/v1/EndpointSlice': endpointSliceValidation,
  'events.k8s.io/v1/Event': newEventValidation,
  'flowcontrol.apiserver.k8s.io/v1/FlowSchema': flowSchemaValidation,
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration': priorityLevelValidation,
  'networking.k8s.io/v1/IPAddress': ipAddressValidation,
  'networking.k8s.io/v1/Ingress': ingressValidation,
  'networking.k8s.io/v1/IngressClass': ingressClassValidation,
  'networking.k8s.io/v1/NetworkPolicy': networkPolicyValidation,
  'networking.k8s.io/v1/ServiceCIDR': serviceCidrValidation,
  'node.k8s.io/v1/RuntimeClass': runtimeClassValidation,
  'policy/v1/Eviction': evictionValidation,
  'policy/v1/PodDisruptionBudget': podDisruptionBudgetValidation,
  'rbac.authorization.k8s.io/v1/ClusterRole': clusterRoleValidation,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': clusterRoleBindingValidation,
  'rbac.authorization.k8s.io/v1/Role': roleValidation,
  'rbac.authorization.k8s.io/v1/RoleBinding': roleBindingValidation,
  'resource.k8s.io/v1/DeviceClass': deviceClassValidation,
  'resource.k8s.io/v1/ResourceClaim': resourceClaimValidation,
  'resource.k8s.io/v1/ResourceClaimTemplate': resourceClaimTemplateValidation,
  'resource.k8s.io/v1/ResourceSlice': resourceSliceValidation,
  'scheduling.k8s.io/v1/PriorityClass': priorityClassValidation,
  'scheduling.k8s.io/v1alpha2/PodGroup': podGroupValidation,
  'scheduling.k8s.io/v1alpha2/Workload': workloadValidation,
  'storage.k8s.io/v1/CSIDriver': csiDriverValidation,
  'storage.k8s.io/v1/CSINode': csiNodeValidation,
  'storage.k8s.io/v1/CSIStorageCapacity': csiStorageCapacityValidation,
  'storage.k8s.io/v1/StorageClass': storageClassValidation,
  'storage.k8s.io/v1/VolumeAttachment': volumeAttachmentValidation,
  'storage.k8s.io/v1/VolumeAttributesClass': volumeAttributesClassValidation,
  '/v1/LimitRange': limitRangeValidation,
  '/v1/ResourceQuota': resourceQuotaValidation,
}

const defaultOptions: ValidationOptions = { allowPrivileged: false }

/** True if the kind has rules, so that its objects can be served. */
export function hasValidation(gvk: GroupVersionKind): boolean {
  return Object.hasOwn(kinds, keyOf(gvk))
}

/**
 * The problems of an object that is to be created, in upstream's order and words; none means it may be stored.
 * The object has been decoded by its schema and defaulted, its name generated. Throws for a kind without rules: such objects are not served.
 */
export function validateCreate(gvk: GroupVersionKind, object: unknown, options: Partial<ValidationOptions> = {}): FieldError[] {
  const rules = rulesOf(gvk)
  const errors = rules.create(withParts(object) as never, { ...defaultOptions, ...options })
  // Whatever a kind allows as a name must also fit into a path; that is only asked of objects that are well-formed otherwise.
  if (errors.length > 0 || rules.virtual) return errors
  return checkGenericMeta(metaOf(object), rules.namespaced, nameIsPathSegment)
}

/** The problems of an object that is to replace `old`, as a whole or through a subresource (`status`, `resize` ...). Throws for a kind without rules. */
export function validateUpdate(gvk: GroupVersionKind, object: unknown, old: unknown, subresource = '', options: Partial<ValidationOptions> = {}): FieldError[] {
  const rules = rulesOf(gvk)
  const own = rules.update?.(withParts(object) as never, withParts(old) as never, subresource, { ...defaultOptions, ...options }) ?? []
  return rules.virtual ? own : [...checkGenericMetaUpdate(metaOf(object), metaOf(old)), ...own]
}

/** An object that has metadata and a spec, if empty ones: in Go these are never absent. What is stored as null (lists that are always written) is absent to the rules. */
function withParts(object: unknown): object {
  return { metadata: { name: '' }, spec: {}, ...(isRecord(object) ? withoutNulls(object) : {}) }
}

/** The same value where nothing in it is null; copies only on the way to what is. */
function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined
    for (const [i, item] of value.entries()) {
      const kept = withoutNulls(item)
      if (kept !== item) (copy ??= [...value])[i] = kept
    }
    return (copy ?? value) as T
  }
  if (!isRecord(value)) return value
  let copy: Record<string, unknown> | undefined
  for (const key in value) {
    const member = value[key]
    if (typeof member !== 'object') continue
    const kept = member === null ? undefined : withoutNulls(member)
    if (kept === member) continue
    copy ??= { ...value }
    if (kept === undefined) delete copy[key]
    else copy[key] = kept
  }
  return (copy ?? value) as T
}

function rulesOf(gvk: GroupVersionKind): KindValidation<never> {
  const rules = kinds[keyOf(gvk)]
  if (!rules) throw new Error(`no validation rules for ${keyOf(gvk)}`)
  return rules
}

const keyOf = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version}/${kind}`
