import type { Event } from '../types/core/v1.ts'
import type { Event as NewEvent } from '../types/events/v1.ts'
import { coreForm } from '../validation/event.ts'
import { nameColumn } from './column.ts'
import type { Column, KindTable } from './column.ts'
import { since } from './duration.ts'

const columns: readonly Column[] = [
  { name: 'Last Seen', description: ['core/v1', 'Event', 'lastTimestamp'] },
  { name: 'Type', description: ['core/v1', 'Event', 'type'] },
  { name: 'Reason', description: ['core/v1', 'Event', 'reason'] },
  { name: 'Object', description: ['core/v1', 'Event', 'involvedObject'] },
  { name: 'Subobject', wide: true, description: ['core/v1', 'ObjectReference', 'fieldPath'] },
  { name: 'Source', wide: true, description: ['core/v1', 'Event', 'source'] },
  { name: 'Message', description: ['core/v1', 'Event', 'message'] },
  { name: 'First Seen', wide: true, description: ['core/v1', 'Event', 'firstTimestamp'] },
  { name: 'Count', wide: true, description: ['core/v1', 'Event', 'count'] },
  { ...nameColumn, wide: true },
]

function cells(event: Event, now: Date): unknown[] {
  const first = since(event.firstTimestamp ?? event.eventTime, now)
  const last = event.series ? since(event.series.lastObservedTime, now) : event.lastTimestamp ? since(event.lastTimestamp, now) : first
  const about = event.involvedObject
  const kind = (about?.kind ?? '').toLowerCase()
  const component = event.source?.component || event.reportingComponent || ''
  const instance = event.source?.host || event.reportingInstance || ''
  return [
    last, event.type ?? '', event.reason ?? '', about?.name ? `${kind}/${about.name}` : kind, about?.fieldPath ?? '', instance === '' ? component : `${component}, ${instance}`,
    (event.message ?? '').trim(), first, event.series ? (event.series.count ?? 0) : event.count || 1, event.metadata.name,
  ]
}

export const eventTable: KindTable<Event> = { columns, cells }
export const newEventTable: KindTable<NewEvent> = { columns, cells: (event, now) => cells(coreForm(event), now) }
