import { node } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'

export const runtimeclasses: ResourceDefinition = { resource: node.runtimeclasses, storagePrefix: 'runtimeclasses', allowCreateOnUpdate: true, refusesUnconditionalUpdate: true }
