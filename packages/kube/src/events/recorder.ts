import type { ObjectMeta } from '@berth/api/types/meta/v1'
import type { ObjectReference } from '@berth/api/types/core/v1'
import type { KubeClient } from '../client/client.ts'
import type { Clock } from '../clock/clock.ts'
import type { Logger } from '../logging/logger.ts'

/** What an event may be about: an object with its kind, or a reference. */
export type EventSubject = ObjectReference | { apiVersion?: string; kind?: string; metadata: ObjectMeta }

/** Writes core/v1 Events in the background: aggregated, counted and limited as client-go does. Never throws and never blocks. */
export interface EventRecorder {
  event(subject: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void
  /** Resolves when what was recorded so far has been sent or given up. */
  flush(): Promise<void>
}

export interface EventRecorderOptions {
  client: KubeClient
  /** `source.component` and the events' reportingComponent. */
  component: string
  /** `source.host`: the node's name, for parts of a node. */
  host?: string
  clock?: Clock
  logger?: Logger
}
