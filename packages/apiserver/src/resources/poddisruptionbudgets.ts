import { policy } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { bumpOnSpecChange, keepStatus, statusReset, statusSubresource } from './common.ts'

export const poddisruptionbudgets: ResourceDefinition = {
  resource: policy.poddisruptionbudgets,
  storagePrefix: 'poddisruptionbudgets',
  resetFields: statusReset,
  refusesUnconditionalUpdate: true,
  prepareForCreate(object) {
    object['status'] = {}
    bumpGeneration(object, true)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    bumpOnSpecChange(object, old)
  },
  subresources: { status: statusSubresource() },
}
