/** What an explanation speaks of: the moment, and the number of the last assume or forget that it knows. */
export interface AsOf {
  /** RFC 3339. */
  readonly time: string
  readonly sequence: number
}

/** A node's total, and each plugin's part of it: normalized and weighted. */
export interface ScoredNode {
  readonly node: string
  readonly total: number
  readonly byPlugin: Readonly<Record<string, number>>
}

/** The nodes that one reason keeps a pod from. */
export interface ReasonGroup {
  readonly reason: string
  readonly plugin: string
  readonly count: number
  /** The first few of them by name. */
  readonly nodes: readonly string[]
  /** Whether other pods' leaving could help. */
  readonly resolvable: boolean
}

/** A node that a pod nearly fits on. */
export interface NearNode {
  readonly node: string
  /** Every filter's reason, not only the first one's. */
  readonly reasons: readonly string[]
  /** What is missing of the node's resources: `200m cpu`. */
  readonly lacks: readonly string[]
  /** The fewest pods found whose leaving would do; absent where no pods' leaving would. */
  readonly evict?: readonly string[]
  /** Whether the scheduler would evict these by itself: all are of lower priority, and the pod may preempt. */
  readonly byPreemption?: boolean
}

/** What the scheduler itself kept of a decision when it was made. */
export interface KeptDecision {
  /** RFC 3339. */
  readonly time: string
  readonly sequence: number
  readonly node?: string
  readonly feasible?: number
  readonly best?: readonly ScoredNode[]
  readonly message?: string
  readonly reasons?: Readonly<Record<string, number>>
}

/** What comes out when the pod is decided on again now. */
export interface Reconsidered {
  readonly node?: string
  readonly feasible: number
  readonly best: readonly ScoredNode[]
  readonly message?: string
  readonly groups: readonly ReasonGroup[]
  readonly nearest: readonly NearNode[]
  /** The pods that would be preempted on `preemptsOn`. */
  readonly preempts?: readonly string[]
  readonly preemptsOn?: string
}

/** `berth why`: why a pod is where it is, or is nowhere. */
export interface WhyAnswer {
  readonly kind: 'Why'
  readonly pod: string
  readonly scheduler: string
  readonly state: 'Placed' | 'Pending' | 'Gated'
  readonly asOf: AsOf
  readonly node?: string
  readonly nominatedNode?: string
  readonly decision?: KeptDecision
  readonly now: Reconsidered
  /** For a pending pod: what has to happen for it to be tried again with hope. */
  readonly helps: readonly string[]
  readonly notes: readonly string[]
}

/** One filter's word on one node. */
export interface FilterVerdict {
  readonly plugin: string
  readonly passes: boolean
  readonly reasons: readonly string[]
}

/** `berth why-not`: what keeps a pod from one node, or what keeps it from being the best. */
export interface WhyNotAnswer {
  readonly kind: 'WhyNot'
  readonly pod: string
  readonly node: string
  readonly scheduler: string
  readonly asOf: AsOf
  /** Where the pod is; absent while it waits. */
  readonly runsOn?: string
  readonly fits: boolean
  readonly verdicts: readonly FilterVerdict[]
  readonly lacks: readonly string[]
  readonly evict?: readonly string[]
  readonly byPreemption?: boolean
  /** Where it fits: its score there, and the best node's. */
  readonly score?: ScoredNode
  readonly best?: ScoredNode
  readonly notes: readonly string[]
}

export interface Placement {
  readonly pod: string
  readonly node: string
  /** Where it was before. */
  readonly from?: string
  readonly total?: number
  /** Who would have to go first. */
  readonly preempts?: readonly string[]
}

/** How full nodes are: cpu in thousandths, memory in bytes. */
export interface Usage {
  readonly cpu: { readonly requested: number; readonly allocatable: number }
  readonly memory: { readonly requested: number; readonly allocatable: number }
  readonly pods: { readonly requested: number; readonly allocatable: number }
}

/** `berth what-if`: where pods would go. */
export interface WhatIfAnswer {
  readonly kind: 'WhatIf'
  readonly asOf: AsOf
  readonly placements: readonly Placement[]
  readonly pending: readonly { readonly pod: string; readonly from?: string; readonly message: string; readonly groups: readonly ReasonGroup[] }[]
  readonly preempted: readonly { readonly pod: string; readonly node: string; readonly by: string }[]
  /** Pods that would be gone for good: nobody makes them again. */
  readonly lost: readonly { readonly pod: string; readonly node: string }[]
  readonly before: Usage
  readonly after: Usage
  readonly nodes: readonly { readonly node: string; readonly before?: Usage; readonly after: Usage }[]
  readonly notes: readonly string[]
}

export type Answer = WhyAnswer | WhyNotAnswer | WhatIfAnswer
