import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { valueAt } from '../registry/values.ts'
import { bumpOnSpecChange, keepStatus, scaleSubresource, statusReset, statusSubresource } from './common.ts'

export const replicationcontrollers: ResourceDefinition = {
  resource: core.replicationcontrollers,
  storagePrefix: 'controllers',
  resetFields: statusReset,
  orphansByDefault: true,
  prepareForCreate(object) {
    object['status'] = {}
    bumpGeneration(object, true)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    bumpOnSpecChange(object, old)
  },
  fieldLabels: { 'status.replicas': (o) => String(valueAt(o, 'status', 'replicas') ?? 0) },
  subresources: { status: statusSubresource(), scale: scaleSubresource },
}
