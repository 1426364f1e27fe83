import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'

export const endpoints: ResourceDefinition = {
  resource: core.endpoints,
  storagePrefix: 'services/endpoints',
  allowCreateOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}
