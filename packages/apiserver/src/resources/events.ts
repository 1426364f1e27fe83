// Events: stored as core/v1, served as core/v1 and as events.k8s.io/v1, whose fields have other names.
import { core, events as eventsGroup } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { stringAt } from '../registry/values.ts'

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const

export const coreEvents: ResourceDefinition = {
  resource: core.events,
  storagePrefix: 'events',
  allowCreateOnUpdate: true,
  ttlSeconds: (options) => options.eventTtlSeconds,
  fieldLabels: {
    ...Object.fromEntries(involved.map((field) => [`involvedObject.${field}`, (o: ApiObject) => stringAt(o, 'involvedObject', field)])),
    reason: (o) => stringAt(o, 'reason'),
    reportingComponent: (o) => stringAt(o, 'reportingComponent'),
    source: (o) => stringAt(o, 'source', 'component') || stringAt(o, 'reportingComponent'),
    type: (o) => stringAt(o, 'type'),
  },
}

/** events.k8s.io name → core name. */
const renamed: readonly (readonly [string, string])[] = [
  ['regarding', 'involvedObject'], ['note', 'message'], ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'], ['deprecatedFirstTimestamp', 'firstTimestamp'], ['deprecatedLastTimestamp', 'lastTimestamp'], ['deprecatedCount', 'count'],
]

function rename(object: ApiObject, apiVersion: string, names: readonly (readonly [string, string])[]): ApiObject {
  const out: ApiObject = { ...object, apiVersion }
  for (const [from] of names) delete out[from]
  for (const [from, to] of names) if (object[from] !== undefined) out[to] = object[from]
  return out
}

export const groupEvents: ResourceDefinition = {
  resource: eventsGroup.events,
  storagePrefix: 'events',
  allowCreateOnUpdate: true,
  view: {
    of: core.events,
    toStored: (object) => rename(object, 'v1', renamed),
    fromStored: (object) => rename(object, 'events.k8s.io/v1', renamed.map(([a, b]) => [b, a] as const)),
  },
  fieldLabels: {
    ...coreEvents.fieldLabels,
    ...Object.fromEntries(involved.map((field) => [`regarding.${field}`, (o: ApiObject) => stringAt(o, 'involvedObject', field)])),
    reportingController: (o) => stringAt(o, 'reportingComponent'),
  },
}
