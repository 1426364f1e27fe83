import type { Event } from '@berth/api/types/core/v1'

// client-go's EventCorrelator: a spam filter, then aggregation of similar events, then counting of equal ones.
const spamBurst = 25
const spamRefillMs = 300_000
const maximumSimilar = 10
const similarWithinMs = 600_000
const cacheSize = 4096

/** What is to be sent: a new event, or a change of one that was sent before (`previous` has its name and namespace). */
export interface Correlated {
  event: Event
  patch?: { count: number; lastTimestamp: string; message: string }
}

/** Decides what becomes of each event. Pure but for what it remembers. */
export class EventCorrelator {
  readonly #tokens = new Lru<{ left: number; at: number }>()
  readonly #similar = new Lru<{ messages: Set<string>; at: number }>()
  readonly #sent = new Lru<{ name: string; namespace: string; count: number; firstTimestamp: string }>()

  /** Gives undefined where the source has spent its burst (25 events an object, one more each five minutes). */
  take(event: Event, now: number): Correlated | undefined {
    const aggregateKey = keyOf(event, '')
    const group = this.#similar.get(aggregateKey)
    const messages = group === undefined || now - group.at > similarWithinMs ? new Set<string>() : group.messages
    messages.add(event.message ?? '')
    this.#similar.set(aggregateKey, { messages, at: now })
    const aggregated = messages.size >= maximumSimilar
    const [first] = messages
    if (messages.size > maximumSimilar && first !== undefined) messages.delete(first)
    const key = aggregated ? aggregateKey : keyOf(event, event.message ?? '')
    const message = aggregated ? `(combined from similar events): ${event.message ?? ''}` : event.message ?? ''
    const correlated = this.#count(event, key, message)
    return this.#allow(event, now) ? correlated : undefined
  }

  #count(event: Event, key: string, message: string): Correlated {
    const before = this.#sent.get(key)
    if (before === undefined) {
      this.#sent.set(key, { name: event.metadata.name, namespace: event.metadata.namespace ?? '', count: 1, firstTimestamp: event.firstTimestamp ?? '' })
      return { event: { ...event, message, count: 1 } }
    }
    const count = before.count + 1
    this.#sent.set(key, { ...before, count })
    const lastTimestamp = event.lastTimestamp ?? ''
    const merged: Event = { ...event, metadata: { ...event.metadata, name: before.name, namespace: before.namespace }, firstTimestamp: before.firstTimestamp, message, count }
    return { event: merged, patch: { count, lastTimestamp, message } }
  }

  #allow(event: Event, now: number): boolean {
    const { kind, namespace, name, uid, apiVersion } = event.involvedObject
    const key = [event.source?.component, event.source?.host, kind, namespace, name, uid, apiVersion].join('\0')
    const bucket = this.#tokens.get(key) ?? { left: spamBurst, at: now }
    const left = Math.min(spamBurst, bucket.left + (now - bucket.at) / spamRefillMs)
    this.#tokens.set(key, { left: left >= 1 ? left - 1 : left, at: now })
    return left >= 1
  }
}

function keyOf(event: Event, message: string): string {
  const { kind, namespace, name, uid, apiVersion, fieldPath } = event.involvedObject
  return [event.source?.component, event.source?.host, kind, namespace, name, fieldPath, uid, apiVersion, event.type, event.reason, message].join('\0')
}

/** A map that forgets what was not used for longest. */
class Lru<V> {
  readonly #entries = new Map<string, V>()

  get(key: string): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
    return value
  }

  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= cacheSize) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }
}
