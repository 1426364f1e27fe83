import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { valueAt } from '../registry/values.ts'
import { scaleSubresource, specAndStatus, statusSubresource } from './common.ts'

export const replicationcontrollers: ResourceDefinition = {
  resource: core.replicationcontrollers,
  storagePrefix: 'controllers',
  ...specAndStatus,
  orphansByDefault: true,
  fieldLabels: { 'status.replicas': (o) => String(valueAt(o, 'status', 'replicas') ?? 0) },
  subresources: { status: statusSubresource(), scale: scaleSubresource },
}
