import { CelEvaluationError } from '../errors.ts'
import { Failed } from './context.ts'
import type { EvaluationContext } from './context.ts'
import type { Value } from '../values/value.ts'

/** An expression ready to run. */
export type Step = (context: EvaluationContext) => Value

/** What the planner knows of a part: attributes price their parts differently depending on where they stand. */
export interface Planned {
  readonly run: Step
  /** For an attribute (a name with selections): the same without the price of the name. */
  readonly resolve?: Step
  /** The price of the name itself: 1, or 0 under `?:`. */
  readonly base?: number
  readonly constant?: Value
}

/** A value that is known when the program is made. */
export function constant(value: Value): Planned {
  return { run: () => value, constant: value }
}

/** A name with its selections: it costs its base, unless it is only a part of one. */
export function attribute(resolve: Step, base = 1): Planned {
  if (base === 0) return { run: resolve, resolve, base }
  return {
    run: context => {
      context.charge(base)
      return resolve(context)
    },
    resolve, base,
  }
}

/** Runs a step whose failure a later one may make up for. */
export function attempt(step: Step, context: EvaluationContext): Value | Failed {
  try {
    return step(context)
  } catch (error) {
    if (error instanceof CelEvaluationError) return new Failed(error)
    throw error
  }
}

/** What is built has its price also where a part of it fails. */
export function priced<T>(context: EvaluationContext, cost: number, build: () => T): T {
  try {
    return build()
  } finally {
    context.charge(cost)
  }
}
