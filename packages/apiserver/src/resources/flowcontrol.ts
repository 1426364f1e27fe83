// flowcontrol.apiserver.k8s.io: which requests share which seats.
import { flowcontrol } from '@berth/api'
import type { ResourceInfo } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpOnSpecChange, keepStatus, statusReset, statusSubresource } from './common.ts'

const withStatus = (resource: ResourceInfo): ResourceDefinition => ({
  resource,
  storagePrefix: resource.resource,
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
    object.metadata.generation = 1
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    bumpOnSpecChange(object, old)
  },
  subresources: { status: statusSubresource({ keepMeta: true }) },
})

export const flowschemas = withStatus(flowcontrol.flowschemas)
export const prioritylevelconfigurations = withStatus(flowcontrol.prioritylevelconfigurations)
