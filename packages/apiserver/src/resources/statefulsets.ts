import { apps } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { asRecord, valueAt } from '../registry/values.ts'
import { bumpOnSpecChange, keepStatus, scaleSubresource, statusReset, statusSubresource } from './common.ts'

const rolling = (object: ApiObject): Record<string, unknown> | undefined => asRecord(valueAt(object, 'spec', 'updateStrategy', 'rollingUpdate'))

/** MaxUnavailableStatefulSet is off: the field is kept only where it is in use. */
function dropGated(object: ApiObject, old: ApiObject | undefined): void {
  if (old === undefined || rolling(old)?.['maxUnavailable'] === undefined) delete rolling(object)?.['maxUnavailable']
}

export const statefulsets: ResourceDefinition = {
  resource: apps.statefulsets,
  storagePrefix: 'statefulsets',
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
    dropGated(object, undefined)
    bumpGeneration(object, true)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    dropGated(object, old)
    bumpOnSpecChange(object, old)
  },
  subresources: { status: statusSubresource(), scale: scaleSubresource },
}
