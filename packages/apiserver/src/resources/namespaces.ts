import { core } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { asRecord, stringAt, valueAt } from '../registry/values.ts'
import { keepField, keepStatus, statusReset, statusSubresource } from './common.ts'

const kubernetesFinalizer = 'kubernetes'

function specFinalizers(object: ApiObject): string[] {
  const list = valueAt(object, 'spec', 'finalizers')
  return Array.isArray(list) ? list as string[] : []
}

export const namespaces: ResourceDefinition = {
  resource: core.namespaces,
  storagePrefix: 'namespaces',
  resetFields: statusReset,
  prepareForCreate(object) {
    const finalizers = specFinalizers(object)
    object['spec'] = { ...asRecord(object['spec']), finalizers: finalizers.includes(kubernetesFinalizer) ? finalizers : [...finalizers, kubernetesFinalizer] }
    object['status'] = { phase: 'Active' }
  },
  prepareForUpdate(object, old) {
    keepField(object, old, 'spec')
    keepStatus(object, old)
  },
  // A namespace goes when its content is gone: the namespace controller empties it and then removes spec.finalizers through /finalize.
  hasMoreFinalizers: (object) => specFinalizers(object).length > 0,
  markDeleting(object) {
    delete object.metadata.deletionGracePeriodSeconds
    object['status'] = { ...asRecord(object['status']), phase: 'Terminating' }
  },
  fieldLabels: { 'status.phase': (o) => stringAt(o, 'status', 'phase'), name: (o) => o.metadata.name },
  subresources: {
    status: statusSubresource(),
    finalize: { type: 'part', methods: ['update'], resetFields: statusReset, prepareForUpdate: keepStatus },
  },
}
