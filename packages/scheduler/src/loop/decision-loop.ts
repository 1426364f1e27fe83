import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { DecisionRecord } from './decision-log.ts'
import type { Decider } from './decider.ts'
import type { FeedItem } from './feed-item.ts'

/** The decision loop as the edges see it: on this thread or on one of its own. */
export interface DecisionLoop {
  offer(items: readonly FeedItem[]): void
  /** Resolves when everything that was there at the beginning is known. */
  readonly whenSynced: Promise<void>
  /** From now on decisions are made. */
  lead(): void
  stop(): Promise<void>
  /** The loop's metrics in Prometheus' text. */
  metrics(): Promise<string>
  /** What pods ask for, in Prometheus' text (/metrics/resources). */
  resources(): Promise<string>
  /** What was kept of the last decision on a pod, by its key. */
  kept(pod: string): Promise<DecisionRecord | undefined>
  /** A port on which everything comes that the loop's cache is made of, as FeedItem[]: what there is, `synced`, and what changes. Closing it ends that. */
  tap(): MessagePort
}

/** The loop on this thread. */
export function localLoop(decider: Decider): DecisionLoop {
  return {
    offer: (items) => decider.offer(items),
    get whenSynced() { return decider.whenSynced },
    lead: () => decider.lead(),
    stop: () => decider.stop(),
    metrics: () => decider.metricsText(),
    resources: async () => decider.resourcesText(),
    kept: async (pod) => decider.decisions.get(pod),
    tap() {
      const { port1, port2 } = new MessageChannel()
      openTap(decider, port1)
      return port2
    },
  }
}

/** Tells a port of the loop's cache until it is closed. */
export function openTap(decider: Decider, port: MessagePort): void {
  const close = decider.tap((items) => port.postMessage(items))
  port.on('close', close)
  // Somebody's questions are no reason to live on.
  port.unref()
}
