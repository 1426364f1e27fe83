import type { Event } from '@berth/api/types/core/v1'

/** What every object of the API may have. */
export interface AnyObject {
  apiVersion?: string
  kind?: string
  metadata?: { name?: string, namespace?: string, generation?: number, deletionTimestamp?: string, finalizers?: string[] }
  status?: { conditions?: { type?: string, status?: string, reason?: string, message?: string }[], [field: string]: unknown }
  [field: string]: unknown
}

const longestStatus = 1500
const mostEvents = 5

/** An object's state in some lines for whoever waited in vain: its conditions, the rest of its status, its last events. */
export function describeState(object: AnyObject | undefined, events: readonly Event[]): string {
  if (!object) return ['last state: there is no such object', ...eventLines(events)].join('\n')
  const { conditions = [], ...status } = object.status ?? {}
  const { deletionTimestamp, finalizers } = object.metadata ?? {}
  const rest = JSON.stringify(status)
  return [
    'last state:',
    ...(deletionTimestamp === undefined ? [] : [`  being deleted since ${deletionTimestamp}${finalizers?.length ? `, held by ${finalizers.join(', ')}` : ''}`]),
    ...conditions.map(({ type, status, reason, message }) => `  condition ${type}=${status}${reason ? ` ${reason}` : ''}${message ? `: ${message}` : ''}`),
    `  status ${object.status === undefined ? 'is not set' : rest.length > longestStatus ? `${rest.slice(0, longestStatus)}…` : rest}`,
    ...eventLines(events),
  ].join('\n')
}

function eventLines(events: readonly Event[]): string[] {
  const time = ({ lastTimestamp, eventTime, firstTimestamp }: Event): string => lastTimestamp ?? eventTime ?? firstTimestamp ?? ''
  const last = events.toSorted((a, b) => (time(a) < time(b) ? -1 : 1)).slice(-mostEvents)
  return last.length === 0 ? [] : ['last events:', ...last.map(({ type, reason, message }) => `  ${type} ${reason}: ${message}`)]
}
