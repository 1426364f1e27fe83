import type { Pod } from '@berth/api/types/core/v1'

// The scheduler extender protocol, v1 (k8s.io/kube-scheduler/extender/v1). Its JSON names are the Go names.

/** Why nodes failed, by their names. */
export type FailedNodes = Record<string, string>

/** filter's answer, with names for who sent names; answers with whole nodes are put together in answers.ts. */
export interface FilterResult {
  readonly NodeNames?: readonly string[]
  readonly FailedNodes: FailedNodes
  readonly FailedAndUnresolvableNodes: FailedNodes
  readonly Error: string
}

/** A node's score, 0 to 10. */
export interface HostPriority {
  readonly Host: string
  readonly Score: number
}

/** The best score of the protocol (extenderv1.MaxExtenderPriority). */
export const maxExtenderPriority = 10

export interface MetaVictims {
  readonly Pods: ReadonlyArray<{ readonly UID: string }>
  readonly NumPDBViolations: number
}

export interface PreemptArgs {
  readonly pod: Pod
  readonly victims: ReadonlyMap<string, MetaVictims>
}

export interface BindArgs {
  readonly podName: string
  readonly podNamespace: string
  readonly podUid: string
  readonly node: string
}
