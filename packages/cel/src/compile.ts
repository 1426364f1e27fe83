import { checkExpression } from './check/check.ts'
import { validateLiterals } from './check/literals.ts'
import { CelCancelledError, CelCompileError, CelEvaluationError } from './errors.ts'
import { estimateCost } from './estimate/estimate.ts'
import { parseExpression } from './parse/parse.ts'
import { EvaluationContext } from './plan/context.ts'
import { planExpression } from './plan/plan.ts'
import { fromTypedJson } from './values/objects.ts'
import type { CelType } from './types/types.ts'
import type { Environment } from './environments/environment.ts'
import type { SizeLookup } from './estimate/sizes.ts'
import type { Step } from './plan/step.ts'
import type { Value } from './values/value.ts'

/** A compiled expression; evaluating it changes nothing in it. */
export interface Program {
  readonly expression: string
  readonly resultType: CelType
  readonly environment: Environment
  /** The top-level names that it reads. */
  readonly references: ReadonlySet<string>
  /** What it costs at most, where the sizes of its variables were given. */
  readonly maxCost?: bigint
  readonly run: Step
}

export interface CompileOptions {
  /** How large the variables may be: then the program's worst cost is estimated. */
  readonly sizes?: SizeLookup
}

export type CompileResult = { readonly program: Program; readonly error?: undefined } | { readonly program?: undefined; readonly error: string }

/**
 * Compiles an expression: parses, expands macros, checks types, and validates literal durations, timestamps and regular expressions.
 * The error holds everything that is wrong, in the form of upstream's issues (`ERROR: <input>:1:3: undeclared reference to ...`).
 */
export function compile(expression: string, environment: Environment, { sizes }: CompileOptions = {}): CompileResult {
  try {
    const parsed = parseExpression(expression, environment.macros)
    const checked = checkExpression(expression, parsed, environment.declarations)
    const errors = checked.errors.length > 0 ? checked.errors : validateLiterals(expression, parsed, checked)
    if (errors.length > 0) return { error: errors.join('\n') }
    const variables = [...checked.references.values()].filter(reference => reference.typeValue === undefined).map(reference => reference.name)
    const references = new Set(variables.filter(name => environment.declarations.variables.has(name)))
    const run = planExpression(parsed, checked)
    return { program: { expression, resultType: checked.type, environment, references, run, ...(sizes === undefined ? {} : { maxCost: estimateCost(parsed, checked, sizes).max }) } }
  } catch (error) {
    // A conversion of a literal, or a pattern, that can only fail.
    if (error instanceof CelEvaluationError) return { error: `program instantiation failed: ${error.message}` }
    if (error instanceof CelCompileError) return { error: error.message }
    if (error instanceof RangeError) return { error: 'ERROR: <input>:1:1: expression recursion limit exceeded: 250' }
    throw error
  }
}

export interface EvaluateOptions {
  /** In cost units; the default is Kubernetes' limit of one expression, 1,000,000. */
  readonly costLimit?: number
  /** In milliseconds of `now`; looked at while comprehensions run. */
  readonly deadline?: number
  readonly now?: () => number
}

export type Evaluation =
  | { readonly value: Value; readonly error?: undefined; readonly cost: number }
  /** A {@link CelEvaluationError}, or a {@link CelCancelledError} beyond the cost limit or the deadline. */
  | { readonly value?: undefined; readonly error: CelEvaluationError | CelCancelledError; readonly cost: number }

/** The cost that one expression may have (PerCallLimit). */
export const perCallLimit = 1_000_000

/**
 * Evaluates a program. Variables are parsed JSON or values; each is read as its declared type says. A variable that is undefined
 * counts as absent: reading it is the error `no such attribute(s)`.
 */
export function evaluate(program: Program, variables: Readonly<Record<string, unknown>>, options: EvaluateOptions = {}): Evaluation {
  const { declarations, layout } = program.environment
  const given = new Map<string, Value>()
  const context = new EvaluationContext(given, options.costLimit ?? perCallLimit, options.deadline ?? Infinity, options.now ?? Date.now)
  try {
    for (const name of program.references) {
      const value = variables[name]
      if (value !== undefined) given.set(name, fromTypedJson(value, declarations.variables.get(name) ?? { kind: 'dyn' }, layout))
    }
    return { value: program.run(context), cost: context.cost }
  } catch (error) {
    if (error instanceof CelEvaluationError || error instanceof CelCancelledError) return { error, cost: context.cost }
    if (error instanceof RangeError) return { error: new CelEvaluationError('evaluation is nested too deeply', { cause: error }), cost: context.cost }
    throw error
  }
}
