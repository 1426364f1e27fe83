import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { stringAt } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

// Cluster IPs, IP families and node ports are the allocators' (src/allocators), which hook into this resource's writes.
export const services: ResourceDefinition = {
  resource: core.services,
  storagePrefix: 'services/specs',
  returnsDeletedObject: true,
  allowCreateOnUpdate: true,
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
  },
  prepareForUpdate: keepStatus,
  fieldLabels: { 'spec.clusterIP': (o) => stringAt(o, 'spec', 'clusterIP'), 'spec.type': (o) => stringAt(o, 'spec', 'type') },
  subresources: { status: statusSubresource() },
}
