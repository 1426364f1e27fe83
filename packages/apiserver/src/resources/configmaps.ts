import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'

export const configmaps: ResourceDefinition = { resource: core.configmaps, storagePrefix: 'configmaps' }
