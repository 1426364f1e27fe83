import type { NodeInfo } from '../framework/node-info.ts'
import type { Usage } from './answers.ts'

/** How full one node is by the requests of its pods. */
export function usageOf(node: NodeInfo): Usage {
  return {
    cpu: { requested: node.requested.milliCpu, allocatable: node.allocatable.milliCpu },
    memory: { requested: node.requested.memory, allocatable: node.allocatable.memory },
    pods: { requested: node.pods.size, allocatable: node.allowedPods },
  }
}

/** The sum over nodes. */
export function totalUsage(nodes: Iterable<NodeInfo>): Usage {
  const total = { cpu: { requested: 0, allocatable: 0 }, memory: { requested: 0, allocatable: 0 }, pods: { requested: 0, allocatable: 0 } }
  for (const node of nodes) {
    const usage = usageOf(node)
    for (const name of ['cpu', 'memory', 'pods'] as const) {
      total[name].requested += usage[name].requested
      total[name].allocatable += usage[name].allocatable
    }
  }
  return total
}
