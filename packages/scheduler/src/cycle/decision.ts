import type { CycleState } from '../framework/cycle-state.ts'
import type { PostFilterResult } from '../framework/plugin.ts'
import type { Misfit } from './fit-error.ts'

/** A node's total, and what each plugin gave to it: normalized and weighted. */
export interface NodeScore {
  readonly node: string
  readonly total: number
  readonly byPlugin: Readonly<Record<string, number>>
}

/** Nothing fits: why, and how room can be made. */
export interface NoNode {
  readonly node?: undefined
  readonly misfit: Misfit
  readonly preemption?: PostFilterResult
}

/** The node that was found. */
export interface Found {
  readonly node: string
  /** How many nodes the pod would fit on. */
  readonly feasible: number
  /** The best few, the chosen one first; none where there was nothing to compare. */
  readonly best: readonly NodeScore[]
  /** What plugins computed in this cycle, for reserve and what follows it. */
  readonly state: CycleState
}

/** What a cycle came to. */
export type Decision = Found | NoNode

/** What the plain path came to: every feasible node, with its scores. */
export type PlainDecision =
  | { readonly node: string; readonly feasible: readonly string[]; readonly scores: readonly NodeScore[]; readonly state: CycleState }
  | NoNode

/** How many of the best nodes a decision keeps. */
export const bestKept = 5

/** The plain path's answer as a decision. */
export function summarize(plain: PlainDecision): Decision {
  if (plain.node === undefined) return plain
  const best = [...plain.scores].sort((a, b) => b.total - a.total || Number(b.node === plain.node) - Number(a.node === plain.node)).slice(0, bestKept)
  return { node: plain.node, feasible: plain.feasible.length, best, state: plain.state }
}
