import type { ResourceInfo } from '@berth/api'
import { keyOf, type Clock, type KubeClient, type Logger } from '@berth/kube'
import type { Change } from '../cache/changes.ts'
import { resourceKey, type KubernetesObject } from '../framework/resource-key.ts'
import { plugins as registry, type PluginArgs } from '../plugins/registry.ts'

/** Where polling gets its objects and its time from. */
export interface PollContext {
  readonly client: Pick<KubeClient, 'list'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Lists a kind that cannot be watched, again and again until the signal aborts. What is not served, or fails, leaves things as they are. */
function poll(resource: ResourceInfo<KubernetesObject>, everyMs: number, change: (change: Change) => void, { client, clock, logger }: PollContext, signal: AbortSignal): void {
  const key = resourceKey(resource)
  let known = new Set<string>()
  let failing = false
  let cancel = (): void => undefined
  signal.addEventListener('abort', () => cancel(), { once: true })
  const ask = async (): Promise<void> => {
    try {
      const { items } = await client.list(resource, { signal })
      const now = new Set(items.map((object) => keyOf(object)))
      for (const gone of known) if (!now.has(gone)) change({ type: 'object-gone', resource: key, key: gone })
      for (const object of items) change({ type: 'object-set', resource: key, object })
      known = now
      failing = false
    } catch (error) {
      if (!failing && !signal.aborted) logger.info('Cannot list what a plugin reads; what is known of it grows old', { resource: key, err: error })
      failing = true
    }
    if (signal.aborted) return
    const timer = clock.setTimeout(() => void ask(), everyMs)
    cancel = () => timer.cancel()
  }
  void ask()
}

/** Starts to poll what the named plugins read and cannot watch. */
export function startPolls(names: Iterable<string>, args: PluginArgs, change: (change: Change) => void, context: PollContext, signal: AbortSignal): void {
  for (const name of names) {
    const wanted = registry[name]?.polls?.(args)
    if (wanted) poll(wanted.resource, wanted.everyMs, change, context, signal)
  }
}
