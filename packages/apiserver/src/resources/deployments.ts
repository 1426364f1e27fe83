import { apps } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { equalValues } from '../registry/values.ts'
import { keepStatus, scaleSubresource, statusReset, statusSubresource } from './common.ts'

export const deployments: ResourceDefinition = {
  resource: apps.deployments,
  storagePrefix: 'deployments',
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
    bumpGeneration(object, true)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    // Annotations count as well: the controller copies them to ReplicaSets.
    bumpGeneration(object, !equalValues(object['spec'], old['spec']) || !equalValues(object.metadata.annotations ?? {}, old.metadata.annotations ?? {}))
  },
  subresources: { status: statusSubresource({ keepLabels: true }), scale: scaleSubresource },
}
