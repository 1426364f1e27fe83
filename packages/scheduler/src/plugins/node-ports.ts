import { hostPortsConflict, hostPortsOf } from '@berth/pod-rules'
import { podsOf } from '../framework/event-objects.ts'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { skip, unschedulable } from '../framework/status.ts'

/** A host port is given to one pod of a node. */
export function nodePorts(): Plugin {
  return {
    name: 'NodePorts',
    dependsOn: 'node-and-pods',
    sign: ({ hostPorts }) => (hostPorts.length === 0 ? '' : JSON.stringify(hostPorts)),
    events: () => [{ event: 'NodeAdded' }, { event: 'AssignedPodDeleted', helps: freesPort }],
    preFilter(_state, pod) {
      return pod.hostPorts.length === 0 ? { status: skip } : undefined
    },
    filter(_state, pod, node) {
      for (const other of node.pods.values()) {
        if (other.hostPorts.some((taken) => pod.hostPorts.some((wanted) => hostPortsConflict(taken, wanted)))) {
          return unschedulable("node(s) didn't have free ports for the requested pod ports")
        }
      }
      return undefined
    },
  }
}

/** The pod that is gone had a port that this one wants. What is not known of it may have been. */
function freesPort(pod: PodInfo, objects: EventObjects): boolean {
  const { old } = podsOf(objects)
  return !old || hostPortsOf(old).some((freed) => pod.hostPorts.some((wanted) => hostPortsConflict(freed, wanted)))
}
