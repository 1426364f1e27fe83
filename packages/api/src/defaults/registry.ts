import type { GroupVersionKind } from '../schema/index.ts'
import { defaultApiService } from './api-service.ts'
import { defaultCustomResourceDefinition } from './custom-resource-definition.ts'
import { defaultDaemonSet } from './daemon-set.ts'
import { defaultFlowSchema, defaultPriorityLevel } from './flow-control.ts'
import { defaultHorizontalPodAutoscaler, defaultHorizontalPodAutoscalerV1 } from './horizontal-pod-autoscaler.ts'
import { defaultIngressClass } from './ingress-class.ts'
import { defaultCronJob, defaultJob } from './job.ts'
import { defaultLimitRange } from './limit-range.ts'
import { defaultNetworkPolicy } from './network-policy.ts'
import { defaultPodTemplateObject } from './pod-template.ts'
import { defaultResourceQuota } from './resource-quota.ts'
import { defaultRoleBinding } from './role-binding.ts'
import { defaultCsiDriver } from './csi-driver.ts'
import { defaultPersistentVolumeClaim } from './persistent-volume-claim.ts'
import { defaultPersistentVolume } from './persistent-volume.ts'
import { defaultReplicationController } from './replication-controller.ts'
import { defaultResourceClaim, defaultResourceClaimTemplate } from './resource-claim.ts'
import { defaultResourceSlice } from './resource-slice.ts'
import { defaultRuntimeClass } from './runtime-class.ts'
import { defaultStatefulSet } from './stateful-set.ts'
import { defaultStorageClass } from './storage-class.ts'
import { defaultVolumeAttachment } from './volume-attachment.ts'
import { defaultConfigMap } from './config-map.ts'
import { defaultDeployment } from './deployment.ts'
import { defaultEndpointSlice } from './endpoint-slice.ts'
import { defaultEndpoints } from './endpoints.ts'
import { defaultNamespace } from './namespace.ts'
import { defaultNode } from './node.ts'
import { defaultPod } from './pod.ts'
import { defaultPriorityClass } from './priority-class.ts'
import { defaultReplicaSet } from './replica-set.ts'
import { defaultSecret } from './secret.ts'
import { defaultService } from './service.ts'
import { defaultTokenRequest } from './token-request.ts'
import { defaultAdmissionPolicy, defaultAdmissionPolicyBinding, defaultMutatingWebhooks, defaultValidatingWebhooks } from './webhook-configuration.ts'

/** What each kind's missing fields become, one line a kind. Kinds without a line have no defaults. */
const kinds: Readonly<Record<string, (object: never) => void>> = {
  '/v1/ConfigMap': defaultConfigMap,
  '/v1/Endpoints': defaultEndpoints,
  '/v1/LimitRange': defaultLimitRange,
  '/v1/Namespace': defaultNamespace,
  '/v1/Node': defaultNode,
  '/v1/PersistentVolume': defaultPersistentVolume,
  '/v1/PersistentVolumeClaim': defaultPersistentVolumeClaim,
  '/v1/Pod': defaultPod,
  '/v1/PodTemplate': defaultPodTemplateObject,
  '/v1/ReplicationController': defaultReplicationController,
  '/v1/ResourceQuota': defaultResourceQuota,
  '/v1/Secret': defaultSecret,
  '/v1/Service': defaultService,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': defaultAdmissionPolicy,
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding': defaultAdmissionPolicyBinding,
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': defaultMutatingWebhooks,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': defaultAdmissionPolicy,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding': defaultAdmissionPolicyBinding,
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': defaultValidatingWebhooks,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': defaultCustomResourceDefinition,
  'apiregistration.k8s.io/v1/APIService': defaultApiService,
  'apps/v1/DaemonSet': defaultDaemonSet,
  'apps/v1/Deployment': defaultDeployment,
  'apps/v1/ReplicaSet': defaultReplicaSet,
  'apps/v1/StatefulSet': defaultStatefulSet,
  'authentication.k8s.io/v1/TokenRequest': defaultTokenRequest,
  'autoscaling/v1/HorizontalPodAutoscaler': defaultHorizontalPodAutoscalerV1,
  'autoscaling/v2/HorizontalPodAutoscaler': defaultHorizontalPodAutoscaler,
  'batch/v1/CronJob': defaultCronJob,
  'batch/v1/Job': defaultJob,
  'discovery.k8s.io/v1/EndpointSlice': defaultEndpointSlice,
  'flowcontrol.apiserver.k8s.io/v1/FlowSchema': defaultFlowSchema,
  'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration': defaultPriorityLevel,
  'networking.k8s.io/v1/IngressClass': defaultIngressClass,
  'networking.k8s.io/v1/NetworkPolicy': defaultNetworkPolicy,
  'node.k8s.io/v1/RuntimeClass': defaultRuntimeClass,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': defaultRoleBinding,
  'rbac.authorization.k8s.io/v1/RoleBinding': defaultRoleBinding,
  'resource.k8s.io/v1/ResourceClaim': defaultResourceClaim,
  'resource.k8s.io/v1/ResourceClaimTemplate': defaultResourceClaimTemplate,
  'resource.k8s.io/v1/ResourceSlice': defaultResourceSlice,
  'scheduling.k8s.io/v1/PriorityClass': defaultPriorityClass,
  'storage.k8s.io/v1/CSIDriver': defaultCsiDriver,
  'storage.k8s.io/v1/StorageClass': defaultStorageClass,
  'storage.k8s.io/v1/VolumeAttachment': defaultVolumeAttachment,
}

/**
 * Fills in what a decoded object leaves out, in place, as a stock server does when it reads an object: defaults that depend on other fields, fields that mirror each other,
 * resource amounts in canonical form. Applying it again changes nothing.
 */
export function applyDefaults({ group, version, kind }: GroupVersionKind, object: object): void {
  kinds[`${group}/${version}/${kind}`]?.(object as never)
}
