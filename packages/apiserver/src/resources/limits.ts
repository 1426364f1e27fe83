// Limits of namespaces: LimitRange and ResourceQuota.
import { randomUUID } from 'node:crypto'
import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

export const limitranges: ResourceDefinition = {
  resource: core.limitranges,
  storagePrefix: 'limitranges',
  allowCreateOnUpdate: true,
  prepareForCreate({ metadata }) {
    if (metadata.name === '') metadata.name = randomUUID()
  },
}

export const resourcequotas: ResourceDefinition = {
  resource: core.resourcequotas,
  storagePrefix: 'resourcequotas',
  returnsDeletedObject: true,
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
  },
  prepareForUpdate: keepStatus,
  subresources: { status: statusSubresource() },
}
