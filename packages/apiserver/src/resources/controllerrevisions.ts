import { apps } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'

export const controllerrevisions: ResourceDefinition = { resource: apps.controllerrevisions, storagePrefix: 'controllerrevisions' }
