import { apps } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { Features } from '../features.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { asRecord, valueAt } from '../registry/values.ts'
import { bumpOnSpecChange, keepStatus, scaleSubresource, statusReset, statusSubresource } from './common.ts'

const rolling = (object: ApiObject): Record<string, unknown> | undefined => asRecord(valueAt(object, 'spec', 'updateStrategy', 'rollingUpdate'))

/** Without MaxUnavailableStatefulSet the field is kept only where it is in use. */
function dropGated(object: ApiObject, old: ApiObject | undefined, features: Features): void {
  if (features.enabled('MaxUnavailableStatefulSet')) return
  if (old === undefined || rolling(old)?.['maxUnavailable'] === undefined) delete rolling(object)?.['maxUnavailable']
}

export const statefulsets: ResourceDefinition = {
  resource: apps.statefulsets,
  storagePrefix: 'statefulsets',
  resetFields: statusReset,
  prepareForCreate(object, features) {
    object['status'] = {}
    dropGated(object, undefined, features)
    bumpGeneration(object, true)
  },
  prepareForUpdate(object, old, features) {
    keepStatus(object, old)
    dropGated(object, old, features)
    bumpOnSpecChange(object, old)
  },
  subresources: { status: statusSubresource(), scale: scaleSubresource },
}
