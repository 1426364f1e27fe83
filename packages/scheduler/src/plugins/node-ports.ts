import { hostPortsConflict } from '@berth/pod-rules'
import type { Plugin } from '../framework/plugin.ts'
import { skip, unschedulable } from '../framework/status.ts'

/** A host port is given to one pod of a node. */
export function nodePorts(): Plugin {
  return {
    name: 'NodePorts',
    dependsOn: 'node-and-pods',
    sign: ({ hostPorts }) => (hostPorts.length === 0 ? '' : JSON.stringify(hostPorts)),
    events: () => [{ event: 'NodeAdded' }, { event: 'AssignedPodDeleted' }],
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
