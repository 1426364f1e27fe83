// Expressions run together over one request: they share a budget, and the variables of a policy are computed once.
import { CelEvaluationError, compile, evaluate, lazyVariables, perCallLimit } from '@berth/cel'
import type { CelType, Environment, Program, Value } from '@berth/cel'
import type { Variable } from '@berth/api/types/admissionregistration/v1'

/** What a policy's expressions may spend on one request (upstream: RuntimeCELCostBudget). */
export const requestBudget = 10_000_000

/** An expression that was compiled, or why it cannot be. */
export type Compiled = { readonly expression: string, readonly program?: Program, readonly error?: string }

/** The value of an expression, or why it has none. */
export type Outcome = { readonly value: Value, readonly error?: undefined } | { readonly value?: undefined, readonly error: string }

/** The expressions have spent what they may. */
export class OutOfBudgetError extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
    this.name = 'OutOfBudgetError'
  }
}

/** Compiles an expression; what is wrong with it stays with it. */
export function compileFor(expression: string, environment: Environment): Compiled {
  const { program, error } = compile(expression, environment)
  if (program) return { expression, program }
  return { expression, error: error.startsWith('program instantiation failed') ? error : `compilation failed: ${error}` }
}

/** Compiles the variables of a policy, each known to those after it; `environmentOf` makes the environment out of the types so far. */
export function compileVariables(variables: readonly Variable[] | undefined, environmentOf: (types: Readonly<Record<string, CelType>>) => Environment): { compiled: Map<string, Compiled>, types: Record<string, CelType> } {
  const types: Record<string, CelType> = {}
  const compiled = new Map<string, Compiled>()
  for (const { name, expression } of variables ?? []) {
    const made = compileFor(expression, environmentOf({ ...types }))
    compiled.set(name, made)
    types[name] = made.program?.resultType ?? { kind: 'dyn' }
  }
  return { compiled, types }
}

export class Evaluation {
  readonly #inputs: Record<string, unknown>
  #left: number
  #spentOnVariables = 0

  /** `inputs` are the variables that the environment declares. */
  constructor(inputs: Readonly<Record<string, unknown>>, budget: number, variables: ReadonlyMap<string, Compiled> = new Map()) {
    this.#left = budget
    this.#inputs = { ...inputs }
    this.#inputs['variables'] = lazyVariables(variables.keys(), (name) => this.#variable(name, variables.get(name)))
  }

  /** What may still be spent. */
  get left(): number {
    return this.#left
  }

  /** Runs an expression. Throws OutOfBudgetError where that costs more than is left. */
  run({ expression, program, error }: Compiled): Outcome {
    if (!program) return { error: `compilation error: ${error ?? ''}` }
    const result = evaluate(program, this.#inputs, { costLimit: perCallLimit })
    const cost = result.cost + this.#spentOnVariables
    this.#spentOnVariables = 0
    if (cost > this.#left) throw new OutOfBudgetError()
    this.#left -= cost
    if (result.error) return { error: `expression '${expression}' resulted in error: ${result.error.message}` }
    return { value: result.value }
  }

  #variable(name: string, variable: Compiled | undefined): Value {
    if (!variable?.program) throw new CelEvaluationError(`composited variable ${JSON.stringify(name)} fails to compile: ${variable?.error ?? ''}`)
    const result = evaluate(variable.program, this.#inputs, { costLimit: perCallLimit })
    this.#spentOnVariables += result.cost
    if (result.error) throw new CelEvaluationError(`composited variable ${JSON.stringify(name)} fails to evaluate: ${result.error.message}`)
    return result.value
  }
}
