// Follows etcd from a revision on, over lost connections, lost leaders and compactions.
import type { EtcdClient, EtcdWatch } from './client.ts'
import type { WatchEvent } from './messages.ts'

export interface FollowOptions {
  client: EtcdClient
  /** What has been told so far: a new watch begins behind it. */
  revision(): number
  /** Changes in order. `upTo`: nothing up to this revision is outstanding. */
  onEvents(events: readonly WatchEvent[], upTo: number): void
  /** History was compacted away. Whoever follows reads everything again; the watch goes on from `revision()`. */
  onCompacted(): Promise<void>
  /** Why nothing can be followed at present; undefined when it can again. */
  onState(reason: string | undefined): void
}

const retryMs = 250

/**
 * Begins to follow and returns the way to stop. The watch covers every key there is, not the prefix alone: then every revision brings an event, and how far
 * one has come is known without asking (asked progress overtakes events in etcd before 3.4.25 and 3.5.8).
 */
export function follow(options: FollowOptions): () => Promise<void> {
  let stopped = false
  let watch: EtcdWatch | undefined
  let wake: () => void = () => {}
  const pause = (): Promise<void> => new Promise((resolve) => {
    const timer = setTimeout(resolve, retryMs)
    wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
  const run = async (): Promise<void> => {
    while (!stopped) {
      let reason = 'the watch ended'
      try {
        watch = options.client.watch({ key: '\0', rangeEnd: '\0', startRevision: options.revision() + 1 })
        if (await followOnce(watch, options) === 'compacted') {
          await options.onCompacted()
          continue
        }
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error)
      }
      if (stopped) return
      options.onState(reason)
      await pause()
    }
  }
  const done = run()
  return async () => {
    stopped = true
    watch?.cancel()
    wake()
    await done
  }
}

/** One watch to its end. */
async function followOnce(watch: EtcdWatch, { onEvents, onState }: FollowOptions): Promise<'ended' | 'compacted'> {
  for await (const response of watch) {
    if (response.compactRevision > 0) return 'compacted'
    if (response.canceled) throw new Error(response.cancelReason || 'etcd cancelled the watch')
    if (response.created) onState(undefined)
    else if (response.events.length > 0) onEvents(response.events, response.events.at(-1)?.kv.modRevision ?? 0)
    else onEvents([], response.revision)
  }
  return 'ended'
}
