import { scheduling } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'

export const priorityclasses: ResourceDefinition = {
  resource: scheduling.priorityclasses,
  storagePrefix: 'priorityclasses',
  prepareForCreate: (object) => bumpGeneration(object, true),
}
