import type { Event } from '../types/core/v1.ts'
import type { Event as NewEvent } from '../types/events/v1.ts'
import { checkImmutable, checkRequired, sameValue, textOf } from './common.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain, qualifiedName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

/** Both groups' events are one kind in memory; its field names are those of the core group, and problems name them so. */
export const coreForm = (event: NewEvent): Event => ({
  metadata: event.metadata,
  involvedObject: event.regarding ?? {},
  reason: event.reason,
  message: event.note,
  type: event.type,
  eventTime: event.eventTime,
  series: event.series,
  action: event.action,
  related: event.related,
  reportingComponent: event.reportingController ?? '',
  reportingInstance: event.reportingInstance ?? '',
  source: event.deprecatedSource,
  firstTimestamp: event.deprecatedFirstTimestamp,
  lastTimestamp: event.deprecatedLastTimestamp,
  count: event.deprecatedCount,
})

/** What holds for events of either group. Those with an eventTime are of the new form and say who reports them. */
function checkEvent(event: Event): FieldError[] {
  const namespace = textOf(event.metadata.namespace)
  const about = textOf(event.involvedObject?.namespace)
  const mismatch = invalid('involvedObject.namespace', about, 'does not match event.namespace')
  const errors: FieldError[] = []
  if (event.eventTime === undefined) {
    if (about === '' ? namespace !== '' && namespace !== 'default' : namespace !== about) errors.push(mismatch)
  } else {
    if (about === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch)
    const controller = textOf(event.reportingComponent)
    errors.push(...checkRequired('reportingController', controller), ...qualifiedName(controller).map((problem) => invalid('reportingController', controller, problem)))
    const sizes = [['reportingInstance', event.reportingInstance, 128], ['action', event.action, 128], ['reason', event.reason, 128]] as const
    for (const [name, value, limit] of sizes) errors.push(...checkRequired(name, value), ...checkSize(name, value, limit))
    errors.push(...checkSize('message', event.message, 1024))
  }
  return [...errors, ...dns1123Subdomain(namespace).map((problem) => invalid('namespace', namespace, problem))]
}

const checkSize = (field: string, value: string | undefined, limit: number): FieldError[] => (Buffer.byteLength(textOf(value)) > limit ? [invalid(field, '', `can have at most ${limit} characters`)] : [])

function checkSeries({ series }: Event): FieldError[] {
  if (!series) return []
  return [
    ...((series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime === undefined ? [required('series.lastObservedTime')] : []),
  ]
}

/** Events of the core group are taken as they always were. */
export const eventValidation: KindValidation<Event> = { namespaced: true, create: checkEvent, update: checkEvent }

const unset = (field: string, isSet: boolean): FieldError[] => (isSet ? [invalid(field, '', 'needs to be unset')] : [])

/** Events of events.k8s.io have the new form and do not change but for their series. */
export const newEventValidation: KindValidation<NewEvent> = {
  namespaced: true,
  create(newEvent) {
    const event = coreForm(newEvent)
    const type = textOf(event.type)
    return [
      ...checkEvent(event),
      ...checkMeta(event.metadata, true, nameIsDnsSubdomain),
      ...checkSeries(event),
      ...(event.eventTime === undefined ? [required('eventTime')] : []),
      ...(type === 'Normal' || type === 'Warning' ? [] : [invalid('type', '', `has invalid value: ${type}`)]),
      ...unset('firstTimestamp', event.firstTimestamp !== undefined),
      ...unset('lastTimestamp', event.lastTimestamp !== undefined),
      ...unset('count', (event.count ?? 0) !== 0),
      ...unset('source', textOf(event.source?.component) !== '' || textOf(event.source?.host) !== ''),
    ]
  },
  update(newEvent, oldEvent) {
    const event = coreForm(newEvent)
    const old = coreForm(oldEvent)
    const fixed = ['involvedObject', 'reason', 'message', 'source', 'firstTimestamp', 'lastTimestamp', 'count', 'reason', 'type', 'eventTime', 'action', 'related'] as const
    return [
      ...checkEvent(event),
      ...checkMetaUpdate(event.metadata, old.metadata),
      ...(sameValue(event.series, old.series) ? [] : checkSeries(event)),
      ...fixed.flatMap((name) => checkImmutable(name, event[name], old[name])),
      ...checkImmutable('reportingController', event.reportingComponent, old.reportingComponent),
      ...checkImmutable('reportingInstance', event.reportingInstance, old.reportingInstance),
    ]
  },
}
