import { discovery } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { equalValues } from '../registry/values.ts'

export const endpointslices: ResourceDefinition = {
  resource: discovery.endpointslices,
  storagePrefix: 'endpointslices',
  prepareForCreate: (object) => bumpGeneration(object, true),
  prepareForUpdate(object, old) {
    const { metadata, ...rest } = object
    const { metadata: oldMetadata, ...oldRest } = old
    bumpGeneration(object, !equalValues(rest, oldRest) || !equalValues(metadata.labels ?? {}, oldMetadata.labels ?? {}))
  },
}
