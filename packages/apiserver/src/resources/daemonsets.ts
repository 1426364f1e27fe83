import { apps } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { equalValues, valueAt } from '../registry/values.ts'
import { bumpOnSpecChange, keepStatus, statusReset, statusSubresource } from './common.ts'

const annotation = 'deprecated.daemonset.template.generation'
const generationOf = (object: ApiObject): number => Number(object.metadata.annotations?.[annotation] ?? 0)

/** The template's own generation: 1 at first, one more with each change of the template. */
function setTemplateGeneration(object: ApiObject, generation: number): void {
  object.metadata.annotations = { ...object.metadata.annotations, [annotation]: String(generation) }
}

export const daemonsets: ResourceDefinition = {
  resource: apps.daemonsets,
  storagePrefix: 'daemonsets',
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
    bumpGeneration(object, true)
    setTemplateGeneration(object, Math.max(1, generationOf(object)))
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    const newTemplate = !equalValues(valueAt(object, 'spec', 'template'), valueAt(old, 'spec', 'template'))
    setTemplateGeneration(object, generationOf(old) + (newTemplate ? 1 : 0))
    bumpOnSpecChange(object, old)
  },
  subresources: { status: statusSubresource() },
}
