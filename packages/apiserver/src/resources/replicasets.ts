import { apps } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { valueAt } from '../registry/values.ts'
import { scaleSubresource, specAndStatus, statusSubresource } from './common.ts'

export const replicasets: ResourceDefinition = {
  resource: apps.replicasets,
  storagePrefix: 'replicasets',
  ...specAndStatus,
  fieldLabels: { 'status.replicas': (o) => String(valueAt(o, 'status', 'replicas') ?? 0) },
  subresources: { status: statusSubresource(), scale: scaleSubresource },
}
