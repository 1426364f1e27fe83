import { CelCancelledError } from '../errors.ts'
import type { Value } from '../values/value.ts'

/** One evaluation: its variables, what it has cost, and when it must stop. */
export class EvaluationContext {
  readonly variables: ReadonlyMap<string, Value>
  /** The variables of comprehensions and their accumulators, each in its own place. */
  readonly slots: (Value | Failed)[] = []
  cost = 0
  private readonly limit: number
  private readonly deadline: number
  private readonly now: () => number
  private untilCheck = checkEvery

  constructor(variables: ReadonlyMap<string, Value>, limit: number, deadline: number, now: () => number) {
    this.variables = variables
    this.limit = limit
    this.deadline = deadline
    this.now = now
  }

  /** Adds to the cost. Throws {@link CelCancelledError} beyond the limit. */
  charge(cost: number): void {
    this.cost += cost
    if (this.cost > this.limit) throw new CelCancelledError('operation cancelled: actual cost limit exceeded')
  }

  /** Looks at the clock once in a while; comprehensions call it for each element. */
  checkDeadline(): void {
    if (--this.untilCheck > 0) return
    this.untilCheck = checkEvery
    if (this.now() > this.deadline) throw new CelCancelledError('operation interrupted')
  }
}

/** How many elements a comprehension visits between looks at the clock. */
const checkEvery = 100

/** An error kept as the value of an accumulator: a later element may still decide without it. */
export class Failed {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}
