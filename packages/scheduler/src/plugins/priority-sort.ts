import type { Plugin } from '../framework/plugin.ts'

/** Orders the queue: higher priority first, among equals who came first. */
export function prioritySort(): Plugin {
  return {
    name: 'PrioritySort',
    less(a, b) {
      const difference = (a.info.pod.spec.priority ?? 0) - (b.info.pod.spec.priority ?? 0)
      return difference === 0 ? a.timestamp < b.timestamp : difference > 0
    },
  }
}
