import type { DownwardFacts } from '../pods/downward.ts'
import type { WorkerContext } from './context.ts'

/** What the downward API of this node answers besides the pod itself. */
export function downwardFacts(context: WorkerContext, podIps: readonly string[]): DownwardFacts {
  return { hostIps: context.hostIps(), podIps, nodeAllocatable: context.node()?.status?.allocatable ?? {} }
}
