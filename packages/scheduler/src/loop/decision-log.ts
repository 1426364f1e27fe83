import type { Decision, NodeScore } from '../cycle/decision.ts'
import { misfitMessage } from '../cycle/fit-error.ts'

/** What is kept of a decision from the moment it is made: the best few nodes, or how often each reason held. */
export interface DecisionRecord {
  readonly pod: string
  /** Milliseconds since the epoch. */
  readonly time: number
  /** The cache's number at that moment. */
  readonly sequence: number
  readonly node?: string
  readonly feasible?: number
  readonly best?: readonly NodeScore[]
  readonly message?: string
  readonly reasons?: Readonly<Record<string, number>>
}

/** The last decision on each of the last `capacity` pods. */
export class DecisionLog {
  readonly #records = new Map<string, DecisionRecord>()
  readonly #capacity: number

  constructor(capacity = 2000) {
    this.#capacity = capacity
  }

  get(pod: string): DecisionRecord | undefined {
    return this.#records.get(pod)
  }

  add(pod: string, decision: Decision, time: number, sequence: number): void {
    const record: DecisionRecord = decision.node === undefined
      ? { pod, time, sequence, message: misfitMessage(decision.misfit), reasons: Object.fromEntries(decision.misfit.reasons) }
      : { pod, time, sequence, node: decision.node, feasible: decision.feasible, best: decision.best }
    this.#records.delete(pod)
    this.#records.set(pod, record)
    if (this.#records.size <= this.#capacity) return
    const [oldest] = this.#records.keys()
    if (oldest !== undefined) this.#records.delete(oldest)
  }
}
