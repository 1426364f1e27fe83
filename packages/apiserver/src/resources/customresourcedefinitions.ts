import { apiextensions } from '@berth/api'
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from '@berth/api/types/apiextensions/v1'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpOnSpecChange, keepStatus, statusReset, statusSubresource } from './common.ts'

/** Stays on a definition until the objects it defines are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

const asDefinition = (object: ApiObject): CustomResourceDefinition => object as unknown as CustomResourceDefinition

/** Whoever writes the storage version, every version that objects were stored in stays known. */
function keepStoredVersions(object: ApiObject): void {
  const { spec, status } = asDefinition(object)
  const storage = spec.versions?.find((version) => version.storage)?.name
  const stored = status?.storedVersions ?? []
  if (storage !== undefined && !stored.includes(storage)) object['status'] = { ...status, storedVersions: [...stored, storage] }
}

function withTerminating(status: CustomResourceDefinitionStatus | undefined, time: string): CustomResourceDefinitionStatus {
  const condition = {
    type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending', lastTransitionTime: time,
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
  return { ...status, conditions: [...(status?.conditions ?? []).filter(({ type }) => type !== 'Terminating'), condition] }
}

export const customresourcedefinitions: ResourceDefinition = {
  resource: apiextensions.customresourcedefinitions,
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  refusesUnconditionalUpdate: true,
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
    object.metadata.generation = 1
    keepStoredVersions(object)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    bumpOnSpecChange(object, old)
    keepStoredVersions(object)
  },
  // The first deletion leaves the finalizer behind; what it finds to do is not this strategy's.
  hasMoreFinalizers: ({ metadata }) => metadata.deletionTimestamp === undefined,
  markDeleting(object) {
    const { metadata } = object
    if (metadata.finalizers?.includes(cleanupFinalizer)) return
    metadata.finalizers = [...metadata.finalizers ?? [], cleanupFinalizer]
    // Upstream marks it by itself here: no grace period, no new generation.
    delete metadata.deletionGracePeriodSeconds
    if (metadata.generation !== undefined) metadata.generation -= 1
    object['status'] = withTerminating(asDefinition(object).status, metadata.deletionTimestamp ?? '')
  },
  subresources: { status: statusSubresource() },
}
