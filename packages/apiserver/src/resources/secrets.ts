import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { stringAt } from '../registry/values.ts'

export const secrets: ResourceDefinition = {
  resource: core.secrets,
  storagePrefix: 'secrets',
  prepareForUpdate(object, old) {
    // The type is immutable; leaving it out is not a change.
    if (!object['type']) object['type'] = old['type']
  },
  fieldLabels: { type: (o) => stringAt(o, 'type') },
}
