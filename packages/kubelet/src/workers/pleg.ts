import type { CriClient } from '@berth/cri'
import { isCriError } from '@berth/cri'
import { type Clock, type Logger, sleep } from '@berth/kube'
import { messageOf } from '../errors.ts'
import type { KubeletMetrics } from '../metrics.ts'
import { glimpsePods, type Glimpse } from '../runtime/read.ts'
import { labels } from '../runtime/records.ts'

/** Notices that something of a pod has changed in the runtime, whoever changed it. */
export interface Pleg {
  /** When the runtime last answered a relist (ms); 0 before the first. */
  lastRelist(): number
  /** Relists now. Concurrent wishes share one. */
  relist(): Promise<Map<string, Glimpse>>
  start(signal: AbortSignal): void
}

const relistMs = 1000
/** While the runtime tells of changes by itself, relisting only catches what was missed. */
const relistWithEventsMs = 10_000
const eventsRetryMs = 5000

export function createPleg(options: {
  cri: CriClient
  clock: Clock
  logger: Logger
  metrics: KubeletMetrics
  changed(uid: string): void
  listed(glimpse: Awaited<ReturnType<typeof glimpsePods>>): void
}): Pleg {
  const { cri, clock, logger, metrics } = options
  let seen = new Map<string, string>()
  let last = 0
  let events = false
  let current: Promise<Map<string, Glimpse>> | undefined

  const once = async (): Promise<Map<string, Glimpse>> => {
    const began = clock.now()
    const glimpse = await glimpsePods(cri)
    const next = new Map<string, string>()
    for (const [uid, pod] of glimpse.pods) next.set(uid, pod.fingerprint)
    const changed = [...new Set([...seen.keys(), ...next.keys()])].filter((uid) => seen.get(uid) !== next.get(uid))
    seen = next
    last = clock.now()
    metrics.relistSeconds.observe((last - began) / 1000)
    options.listed(glimpse)
    for (const uid of changed) options.changed(uid)
    return glimpse.pods
  }
  const relist = (): Promise<Map<string, Glimpse>> => {
    current ??= once().finally(() => (current = undefined))
    return current
  }

  const listen = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const stream = cri.getContainerEvents({}, { signal })
        // What happened before the stream was open is found by a relist of our own.
        for await (const event of stream) {
          events = true
          const uid = event.podSandboxStatus?.metadata?.uid || event.containersStatuses[0]?.labels[labels.podUid]
          if (uid) options.changed(uid)
          else void relist().catch(() => {})
        }
      } catch (error) {
        if (isCriError(error, 'Unimplemented')) {
          logger.v(2).info('Runtime has no container events, relisting alone')
          return
        }
        if (!signal.aborted) logger.v(2).info('Stream of container events ended', { err: messageOf(error) })
      }
      events = false
      await sleep(clock, eventsRetryMs, signal).catch(() => {})
    }
  }
  const loop = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await relist()
      } catch (error) {
        logger.v(1).info('GenericPLEG: Unable to retrieve pods', { err: messageOf(error) })
      }
      await sleep(clock, events ? relistWithEventsMs : relistMs, signal).catch(() => {})
    }
  }

  return {
    lastRelist: () => last,
    relist,
    start: (signal) => {
      void loop(signal)
      void listen(signal)
    },
  }
}
