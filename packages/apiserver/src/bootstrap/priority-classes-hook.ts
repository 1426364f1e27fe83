import { scheduling } from '@berth/api'
import type { PriorityClass } from '@berth/api/types/scheduling/v1'
import type { BootstrapHook, ResourceStore } from '../interfaces.ts'
import { ignoreExisting } from './namespaces-hook.ts'

/** The priority classes of the system's own pods, by name; nobody may make others that begin with `system-`. */
export const systemPriorityClasses: readonly PriorityClass[] = [
  systemClass('system-node-critical', 2_000_001_000, 'Used for system critical pods that must not be moved from their current node.'),
  systemClass('system-cluster-critical', 2_000_000_000, 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.'),
]

function systemClass(name: string, value: number, description: string): PriorityClass {
  return { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, description }
}

/** Makes the system priority classes. */
export function priorityClassesHook(store: ResourceStore): BootstrapHook {
  return {
    name: 'scheduling/bootstrap-system-priority-classes',
    async run() {
      await Promise.all(systemPriorityClasses.filter((c) => !store.get(scheduling.priorityclasses, c.metadata.name))
        .map((c) => ignoreExisting(store.create(scheduling.priorityclasses, c))))
    },
  }
}
