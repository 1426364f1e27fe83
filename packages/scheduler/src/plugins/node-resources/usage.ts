import type { NodeInfo } from '../../framework/node-info.ts'
import type { PodInfo } from '../../framework/pod-info.ts'

const usual = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** Extended resources that a pod does not ask for are left out of its scores. */
export function scalarNotWanted(pod: PodInfo, resource: string): boolean {
  return !usual.has(resource) && pod.requests.get(resource) === 0
}

/** What a node can give of a resource and what is used of it once the pod is there; with defaults for what asks for nothing, or as asked. */
export function usageOf(pod: PodInfo, node: NodeInfo, resource: string, count: 'nonZero' | 'requested'): { allocatable: number; used: number } {
  const allocatable = node.allocatable.get(resource)
  if (count === 'nonZero' && resource === 'cpu') return { allocatable, used: node.nonZeroMilliCpu + pod.nonZero.milliCpu }
  if (count === 'nonZero' && resource === 'memory') return { allocatable, used: node.nonZeroMemory + pod.nonZero.memory }
  return { allocatable, used: node.requested.get(resource) + pod.requests.get(resource) }
}
