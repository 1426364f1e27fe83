// What gates keep off wherever a pod's spec is: in pods, and in the templates of everything that makes pods.
import type { Features } from '../features.ts'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { asRecord, valueAt } from '../registry/values.ts'

const template = ['spec', 'template', 'spec']

/** Where the spec is, by group and resource. */
const places: Readonly<Record<string, readonly string[]>> = {
  '/pods': ['spec'], '/podtemplates': ['template', 'spec'], '/replicationcontrollers': template, 'apps/daemonsets': template, 'apps/deployments': template, 'apps/replicasets': template,
  'apps/statefulsets': template, 'batch/jobs': template, 'batch/cronjobs': ['spec', 'jobTemplate', ...template],
}

/** A field stays where its gate is on, or where the stored object has it already. */
function drop(object: ApiObject, old: ApiObject | undefined, place: readonly string[], features: Features): void {
  const spec = asRecord(valueAt(object, ...place))
  if (!spec || spec['schedulingGroup'] === undefined || features.enabled('GenericWorkload')) return
  if (old && asRecord(valueAt(old, ...place))?.['schedulingGroup'] !== undefined) return
  delete spec['schedulingGroup']
}

/** The definition, with gated fields of pods' specs dropped before anything else looks at them; as it is where it has no pod's spec. */
export function withGatedPodSpec(definition: ResourceDefinition): ResourceDefinition {
  const { group, resource } = definition.resource
  const place = places[`${group}/${resource}`]
  if (!place) return definition
  return {
    ...definition,
    prepareForCreate(object, features, user) {
      drop(object, undefined, place, features)
      definition.prepareForCreate?.(object, features, user)
    },
    prepareForUpdate(object, old, features) {
      drop(object, old, place, features)
      definition.prepareForUpdate?.(object, old, features)
    },
  }
}
