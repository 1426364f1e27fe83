import type { Plugin } from '../framework/plugin.ts'
import { unresolvable } from '../framework/status.ts'

/** Keeps a pod out of the queue as long as it has scheduling gates (KEP-3521). */
export function schedulingGates(): Plugin {
  return {
    name: 'SchedulingGates',
    events: () => [{ event: 'UnscheduledPodUpdated', helps: ({ pod }) => (pod.spec.schedulingGates ?? []).length === 0 }],
    preEnqueue({ pod }) {
      const gates = pod.spec.schedulingGates ?? []
      return gates.length === 0 ? undefined : unresolvable(`waiting for scheduling gates: [${gates.map((g) => g.name).join(' ')}]`)
    },
  }
}
