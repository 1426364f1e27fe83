import { core } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { equalValues } from '../registry/values.ts'

export const podtemplates: ResourceDefinition = {
  resource: core.podtemplates,
  storagePrefix: 'podtemplates',
  returnsDeletedObject: true,
  prepareForCreate: (object) => bumpGeneration(object, true),
  prepareForUpdate: (object, old) => bumpGeneration(object, !equalValues(object['template'], old['template'])),
}
