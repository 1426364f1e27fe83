import type { EventInterest, EventObjects, Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { ClusterEvent } from './events.ts'

/** What a plugin says of each event; a plugin that names no events at all is helped by any. */
type Interests = ReadonlyMap<ClusterEvent, readonly EventInterest[]> | 'any'

const known = new WeakMap<Plugin, Interests>()

function interestsOf(plugin: Plugin): Interests {
  const found = known.get(plugin)
  if (found) return found
  const interests: Interests = plugin.events ? Map.groupBy(plugin.events(), ({ event }) => event) : 'any'
  known.set(plugin, interests)
  return interests
}

/** Whether an event can make a pod schedulable that the plugin rejected (upstream: QueueingHintFn). A hint that fails counts as yes. */
export function isHelpedBy(plugin: Plugin, pod: PodInfo, event: ClusterEvent, objects: EventObjects): boolean {
  const interests = interestsOf(plugin)
  if (interests === 'any') return true
  for (const { helps } of interests.get(event) ?? []) {
    try {
      if (helps?.(pod, objects) ?? true) return true
    } catch {
      return true
    }
  }
  return false
}
