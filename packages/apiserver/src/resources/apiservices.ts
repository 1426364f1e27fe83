import { apiregistration } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { formatTime } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

export const apiservices: ResourceDefinition = {
  resource: apiregistration.apiservices,
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  refusesUnconditionalUpdate: true,
  resetFields: statusReset,
  prepareForCreate(object) {
    const { service } = (object['spec'] ?? {}) as { service?: unknown }
    object['status'] = {}
    // What this server serves itself needs no looking for.
    if (!service) {
      object['status'] = { conditions: [{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available', lastTransitionTime: formatTime(Date.now()) }] }
    }
  },
  prepareForUpdate: keepStatus,
  subresources: { status: statusSubresource({ keepMeta: true }) },
}
