import { coordination } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'

export const leases: ResourceDefinition = {
  resource: coordination.leases,
  storagePrefix: 'leases',
  allowCreateOnUpdate: true,
  refusesUnconditionalUpdate: true,
}
