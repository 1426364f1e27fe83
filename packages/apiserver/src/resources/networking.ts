import { networking } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

export const ipaddresses: ResourceDefinition = {
  resource: networking.ipaddresses,
  storagePrefix: 'ipaddresses',
  fieldLabels: {},
}

export const servicecidrs: ResourceDefinition = {
  resource: networking.servicecidrs,
  storagePrefix: 'servicecidrs',
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
  },
  prepareForUpdate: keepStatus,
  subresources: { status: statusSubresource() },
}
