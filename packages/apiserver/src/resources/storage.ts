// storage.k8s.io: classes, CSI drivers and what they tell, attachments.
import { storage } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpOnSpecChange, keepStatus, statusReset, statusSubresource } from './common.ts'

export const storageclasses: ResourceDefinition = { resource: storage.storageclasses, storagePrefix: 'storageclasses', returnsDeletedObject: true }
export const volumeattributesclasses: ResourceDefinition = { resource: storage.volumeattributesclasses, storagePrefix: 'volumeattributesclasses', returnsDeletedObject: true }
export const csinodes: ResourceDefinition = { resource: storage.csinodes, storagePrefix: 'csinodes', refusesUnconditionalUpdate: true, returnsDeletedObject: true }
export const csistoragecapacities: ResourceDefinition = { resource: storage.csistoragecapacities, storagePrefix: 'csistoragecapacities', refusesUnconditionalUpdate: true }

export const csidrivers: ResourceDefinition = {
  resource: storage.csidrivers,
  storagePrefix: 'csidrivers',
  refusesUnconditionalUpdate: true,
  returnsDeletedObject: true,
  prepareForCreate(object) {
    dropGated(object)
  },
  prepareForUpdate(object, old) {
    if (!hasGated(old)) dropGated(object)
    bumpOnSpecChange(object, old)
  },
}

/** VolumeLimitScaling is alpha. */
const gatedField = 'preventPodSchedulingIfMissing'
const specOf = (object: { [field: string]: unknown }): Record<string, unknown> => (object['spec'] ?? {}) as Record<string, unknown>
const hasGated = (object: { [field: string]: unknown }): boolean => specOf(object)[gatedField] !== undefined
function dropGated(object: { [field: string]: unknown }): void {
  delete specOf(object)[gatedField]
}

export const volumeattachments: ResourceDefinition = {
  resource: storage.volumeattachments,
  storagePrefix: 'volumeattachments',
  refusesUnconditionalUpdate: true,
  returnsDeletedObject: true,
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = { attached: false }
  },
  prepareForUpdate: keepStatus,
  subresources: { status: statusSubresource({ keepMeta: true }) },
}
