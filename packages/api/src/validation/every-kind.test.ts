import { describe, expect, it } from 'vitest'
import { decode, normalize } from '../decode/index.ts'
import { applyDefaults } from '../defaults/index.ts'
import { schemaOf } from '../schema/index.ts'
import { tableCells } from '../tables/index.ts'
import { warningsOf } from '../warnings/index.ts'
import { fieldErrorMessage, validateCreate, validateUpdate } from './index.ts'
import { gvkOf } from './test-support/objects.ts'
import { sample, seeded } from './test-support/samples.ts'

const kinds = [
  'v1/Binding', 'v1/ConfigMap', 'v1/Endpoints', 'v1/Event', 'v1/Namespace', 'v1/Node', 'v1/Pod', 'v1/Secret', 'v1/Service', 'v1/ServiceAccount', 'apps/v1/Deployment', 'apps/v1/ReplicaSet',
  'authentication.k8s.io/v1/TokenRequest', 'authentication.k8s.io/v1/TokenReview', 'authorization.k8s.io/v1/SubjectAccessReview', 'authorization.k8s.io/v1/SelfSubjectAccessReview',
  'authorization.k8s.io/v1/LocalSubjectAccessReview', 'autoscaling/v1/Scale', 'coordination.k8s.io/v1/Lease', 'discovery.k8s.io/v1/EndpointSlice', 'events.k8s.io/v1/Event',
  'networking.k8s.io/v1/IPAddress', 'networking.k8s.io/v1/ServiceCIDR', 'policy/v1/Eviction', 'rbac.authorization.k8s.io/v1/Role', 'rbac.authorization.k8s.io/v1/RoleBinding',
  'rbac.authorization.k8s.io/v1/ClusterRole', 'rbac.authorization.k8s.io/v1/ClusterRoleBinding', 'scheduling.k8s.io/v1/PriorityClass',
  'v1/LimitRange', 'v1/PersistentVolume', 'v1/PersistentVolumeClaim', 'v1/PodTemplate', 'v1/ReplicationController', 'v1/ResourceQuota', 'apps/v1/ControllerRevision', 'apps/v1/DaemonSet',
  'apps/v1/StatefulSet', 'batch/v1/CronJob', 'batch/v1/Job', 'autoscaling/v2/HorizontalPodAutoscaler', 'policy/v1/PodDisruptionBudget',
  'networking.k8s.io/v1/Ingress', 'networking.k8s.io/v1/IngressClass', 'networking.k8s.io/v1/NetworkPolicy', 'node.k8s.io/v1/RuntimeClass', 'certificates.k8s.io/v1/CertificateSigningRequest',
  'storage.k8s.io/v1/CSIDriver', 'storage.k8s.io/v1/CSINode', 'storage.k8s.io/v1/CSIStorageCapacity', 'storage.k8s.io/v1/StorageClass', 'storage.k8s.io/v1/VolumeAttachment',
  'storage.k8s.io/v1/VolumeAttributesClass', 'resource.k8s.io/v1/DeviceClass', 'resource.k8s.io/v1/ResourceClaim', 'resource.k8s.io/v1/ResourceClaimTemplate', 'resource.k8s.io/v1/ResourceSlice',
  'scheduling.k8s.io/v1alpha2/PodGroup', 'scheduling.k8s.io/v1alpha2/Workload', 'flowcontrol.apiserver.k8s.io/v1/FlowSchema', 'flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration',
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy', 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding', 'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding', 'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration',
  'apiregistration.k8s.io/v1/APIService', 'apiextensions.k8s.io/v1/CustomResourceDefinition',
]
const now = new Date('2026-01-02T00:00:00Z')

describe.each(kinds)('%s, whatever its fields hold', (kind) => {
  const gvk = gvkOf(kind)
  const schema = schemaOf(gvk)
  if (!schema) throw new Error(`no schema of ${kind}`)
  const random = seeded(kind.length)
  const objects = Array.from({ length: 60 }, (_, index) => {
    const { object } = decode(schema, { ...sample(schema, random, 0.2 + (index % 7) / 10), apiVersion: kind.slice(0, kind.lastIndexOf('/')), kind: gvk.kind }, 'ignore')
    return object
  })

  it('is defaulted once and for all', () => {
    for (const object of objects) {
      applyDefaults(gvk, object)
      const again = structuredClone(object)
      applyDefaults(gvk, again)
      expect(again).toEqual(object)
    }
  })

  it('is judged with paths and reasons, before and after it is stored', () => {
    for (const [index, object] of objects.entries()) {
      const stored = normalize(schema, object)
      const old = normalize(schema, objects[(index + 1) % objects.length] ?? object)
      const errors = [object, stored].flatMap((each) => validateCreate(gvk, each))
      for (const subresource of ['', 'status', 'resize', 'ephemeralcontainers', 'finalize', 'approval']) errors.push(...validateUpdate(gvk, stored, old, subresource))
      for (const error of errors) expect(fieldErrorMessage(error)).toMatch(/^\S.*: \S/s)
      expect(warningsOf(gvk, stored, old).every((text) => text !== '')).toBe(true)
    }
  })

  it('is shown in a row', () => {
    for (const object of objects) expect(tableCells(gvk, normalize(schema, object), now).length).toBeGreaterThan(0)
  })
})
