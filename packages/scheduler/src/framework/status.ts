/** What a plugin says of a pod, or of a pod on a node (upstream: framework.Code). */
export type Code =
  /** Not now; removing pods from the node could help. */
  | 'Unschedulable'
  /** Not here, whatever pods are removed. */
  | 'UnschedulableAndUnresolvable'
  /** Not yet: what the pod needs is on its way. It goes on without back-off once it is there. */
  | 'Pending'
  /** The plugin has nothing to say about this pod: its later calls are left out. */
  | 'Skip'

/** A verdict that is not success; success is `undefined`. */
export interface Status {
  readonly code: Code
  /** Upstream's words, one entry a reason; counted node by node in FailedScheduling. */
  readonly reasons: readonly string[]
  /** Filled in by the framework. */
  plugin?: string
}

export function unschedulable(...reasons: string[]): Status {
  return { code: 'Unschedulable', reasons }
}

export function unresolvable(...reasons: string[]): Status {
  return { code: 'UnschedulableAndUnresolvable', reasons }
}

export const skip: Status = { code: 'Skip', reasons: [] }
