import { core } from '@berth/api'
import type { Event, ObjectReference } from '@berth/api/types/core/v1'
import { sleep, systemClock } from '../clock/system-clock.ts'
import { isNotFound, isTransient } from '../errors.ts'
import { silentLogger } from '../logging/create-logger.ts'
import { EventCorrelator, type Correlated } from './correlator.ts'
import type { EventRecorder, EventRecorderOptions, EventSubject } from './recorder.ts'

/** Events that wait to be sent; beyond it new ones are dropped, as upstream. */
const queueLimit = 1000
const maximumTries = 12
const retryMs = 10_000

/** Makes an {@link EventRecorder}. Sending goes on in the background, one event after another, in order. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { client, component, host = '', clock = systemClock, logger = silentLogger() } = options
  const correlator = new EventCorrelator()
  const queue: Event[] = []
  let sending: Promise<void> | undefined
  let flushing = 0
  let lastStamp = 0n
  let endPause: AbortController | undefined

  /** Nanoseconds that never repeat, for the name. */
  const stamp = (): string => {
    const now = BigInt(clock.now()) * 1_000_000n
    lastStamp = now > lastStamp ? now : lastStamp + 1n
    return lastStamp.toString(16)
  }

  const drain = async (): Promise<void> => {
    for (let event = queue.shift(); event !== undefined; event = queue.shift()) {
      const correlated = correlator.take(event, clock.now())
      if (correlated !== undefined) await deliver(correlated)
    }
    sending = undefined
  }

  const deliver = async (correlated: Correlated): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await send(correlated)
      } catch (error) {
        if (!isTransient(error) || tries >= maximumTries || flushing > 0) {
          return logger.warn('Unable to write event', { event: correlated.event.metadata.name, reason: correlated.event.reason, err: error })
        }
        endPause = new AbortController()
        await sleep(clock, tries === 1 ? retryMs * Math.random() : retryMs, endPause.signal).catch(() => {})
      }
    }
  }

  const send = async ({ event, patch }: Correlated): Promise<void> => {
    const namespace = event.metadata.namespace ?? 'default'
    if (patch !== undefined) {
      try {
        await client.patch(core.events, event.metadata.name, { type: 'strategic', body: patch }, { namespace })
        return
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
    await client.create(core.events, { ...event, metadata: { name: patch === undefined ? event.metadata.name : `${event.involvedObject.name ?? ''}.${stamp()}`, namespace } })
  }

  return {
    event(subject, type, reason, message) {
      const involvedObject = referenceOf(subject)
      logger.v(3).info('Event occurred', { object: `${involvedObject.namespace ?? ''}/${involvedObject.name ?? ''}`, kind: involvedObject.kind, type, reason, message })
      if (queue.length >= queueLimit) return logger.warn('Unable to record event: too many queued events, dropped event', { reason, message })
      const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
      queue.push({
        metadata: { name: `${involvedObject.name ?? ''}.${stamp()}`, namespace: involvedObject.namespace || 'default' },
        involvedObject, reason, message, type, count: 1, firstTimestamp: now, lastTimestamp: now,
        source: { component, ...(host === '' ? {} : { host }) },
        reportingComponent: component, reportingInstance: host,
      })
      sending ??= Promise.resolve().then(drain)
    },
    async flush() {
      flushing += 1
      endPause?.abort()
      try {
        while (sending !== undefined) await sending
      } finally {
        flushing -= 1
      }
    },
  }
}

function referenceOf(subject: EventSubject): ObjectReference {
  if (!('metadata' in subject)) return subject
  const { name, namespace, uid, resourceVersion } = subject.metadata
  return { apiVersion: subject.apiVersion, kind: subject.kind, name, namespace, uid, resourceVersion }
}
