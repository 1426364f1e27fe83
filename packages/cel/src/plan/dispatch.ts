import { CelEvaluationError, noSuchOverload } from '../errors.ts'
import { constant } from './step.ts'
import { pricedByName } from '../functions/overload.ts'
import { isOfType, typeNameOf } from '../values/runtime-type.ts'
import type { EvaluationContext } from './context.ts'
import type { Planned, Step } from './step.ts'
import type { Overload } from '../functions/overload.ts'
import type { Value } from '../values/value.ts'

// These say no more than that nothing fits.
const unguarded = new Set(['_+_', '_-_', '_*_', '_/_', '_%_', '-_', '!_', '_<_', '_<=_', '_>_', '_>=_', '@in', 'size', 'contains', 'startsWith', 'endsWith', 'flatten'])

/** Calls the first overload that takes the arguments there are, and charges its price. */
export function dispatch(name: string, overloads: readonly Overload[], args: readonly Step[]): Step {
  const known = overloads.length === 1 || pricedByName.has(name)
  const costOf = (candidate: Overload | undefined, values: readonly Value[], result: Value) => known && candidate?.cost !== undefined ? candidate.cost(values, result) : 1
  return context => {
    const values = evaluated(args, context, values => context.charge(costOf(overloads[0], values, null)))
    for (const candidate of overloads) {
      if (!candidate.params.every((type, index) => isOfType(values[index] ?? null, type))) continue
      const price = (result: Value) => context.charge(costOf(candidate, values, result))
      let result: Value
      try {
        result = candidate.call(...values)
      } catch (error) {
        // A call that fails has its price too, an error counting as a value of size one.
        if (error instanceof CelEvaluationError) price(null)
        throw error
      }
      price(result)
      return result
    }
    context.charge(1)
    throw unguarded.has(name) ? noSuchOverload() : new CelEvaluationError(`no such overload: ${name}(${values.map(typeNameOf).join(', ')})`)
  }
}

// All arguments of a call of one or two are evaluated even when the first fails, and then the call has its price all the same.
function evaluated(args: readonly Step[], context: EvaluationContext, price: (values: readonly Value[]) => void): Value[] {
  if (args.length > 2) return args.map(arg => arg(context))
  const values: Value[] = []
  let failure: CelEvaluationError | undefined
  for (const arg of args) {
    try {
      values.push(arg(context))
    } catch (error) {
      if (!(error instanceof CelEvaluationError)) throw error
      failure ??= error
      values.push(null)
    }
  }
  if (failure === undefined) return values
  price(values)
  throw failure
}

/** Conversions of literals happen once, when the program is made, and cost nothing. Throws what the conversion throws. */
export function folded(value: Value, overloads: readonly Overload[]): Planned | undefined {
  const result = overloads.find(candidate => isOfType(value, candidate.params[0] ?? { kind: 'dyn' }))?.call(value)
  return result === undefined ? undefined : constant(result)
}
