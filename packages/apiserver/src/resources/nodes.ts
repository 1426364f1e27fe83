import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { valueAt } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

export const nodes: ResourceDefinition = {
  resource: core.nodes,
  storagePrefix: 'minions',
  resetFields: statusReset,
  prepareForUpdate: keepStatus,
  fieldLabels: { 'spec.unschedulable': (o) => String(valueAt(o, 'spec', 'unschedulable') === true) },
  subresources: { status: statusSubresource() },
}
