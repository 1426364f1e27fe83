import { CelEvaluationError, noSuchOverload } from '../errors.ts'
import { Failed } from './context.ts'
import { fieldPresent, indexOf, optionalIndex, optionalSelect, selectField } from './access.ts'
import { dispatch, folded } from './dispatch.ts'
import { elements } from './elements.ts'
import { isPrimitiveList, membership } from './membership.ts'
import { attempt, attribute, constant, priced } from './step.ts'
import { listBase, mapBase, structBase } from '../functions/cost.ts'
import { CelList, GrowingList, GrowingMap, ValueMap } from '../values/containers.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import { OptionalValue, TypeValue } from '../values/value.ts'
import { constructed } from '../values/objects.ts'
import type { Planned, Step } from './step.ts'
import type { Checked } from '../check/check.ts'
import type { Expr } from '../parse/ast.ts'
import type { Value } from '../values/value.ts'

/** Plans a checked expression. The program prices each step as upstream's interpreter does. */
export function planExpression(expr: Expr, checked: Checked): Step {
  return new Planner(checked).plan(expr).run
}

const conversionNames = new Set(['bool', 'bytes', 'double', 'duration', 'dyn', 'int', 'string', 'timestamp', 'type', 'uint'])

class Planner {
  private readonly checked: Checked
  private readonly locals: { name: string; slot: number }[] = []
  private slots = 0

  constructor(checked: Checked) {
    this.checked = checked
  }

  plan(expr: Expr): Planned {
    switch (expr.kind) {
      case 'literal': return constant(expr.value)
      case 'ident': return this.name(expr, expr.name)
      case 'select': return this.select(expr)
      case 'call': return this.call(expr)
      case 'list': return this.list(expr)
      case 'map': return this.map(expr)
      case 'struct': return this.struct(expr)
      case 'fold': return this.fold(expr)
    }
  }

  private name(expr: Expr, name: string): Planned {
    const reference = this.checked.references.get(expr.id)
    if (reference?.typeValue !== undefined) return constant(new TypeValue(reference.typeValue))
    const local = this.locals.findLast(local => local.name === name)
    if (local !== undefined) {
      const { slot } = local
      return attribute(context => {
        const value = context.slots[slot]
        if (value instanceof Failed) throw value.error
        return value as Value
      })
    }
    return attribute(context => {
      const value = context.variables.get(name)
      if (value === undefined) throw new CelEvaluationError(`no such attribute(s): ${name}`)
      return value
    })
  }

  private select(expr: Expr & { kind: 'select' }): Planned {
    const reference = this.checked.references.get(expr.id)
    if (reference !== undefined) return this.name(expr, reference.name)
    const operand = this.plan(expr.operand)
    const from = operand.resolve ?? operand.run
    const { field } = expr
    if (expr.test) {
      // Asking for presence costs the selections on the way only.
      const run: Step = context => {
        const value = from(context)
        context.charge(1)
        return fieldPresent(value, field)
      }
      return { run }
    }
    const base = operand.base ?? 1
    if (expr.optional) return attribute(context => optionalSelect(from(context), field, context), base)
    return attribute(context => selectField(from(context), field, context), base)
  }

  private index(expr: Expr & { kind: 'call' }, optional: boolean): Planned {
    const [container, index] = expr.args.map(arg => this.plan(arg))
    if (container === undefined || index === undefined) throw noSuchOverload()
    const from = container.resolve ?? container.run
    const at = index.resolve ?? index.run
    const base = container.base ?? 1
    if (optional) return attribute(context => optionalIndex(from(context), at(context), context), base)
    return attribute(context => indexOf(from(context), at(context), context), base)
  }

  private call(expr: Expr & { kind: 'call' }): Planned {
    switch (expr.name) {
      case '_&&_': return this.logical(expr, false)
      case '_||_': return this.logical(expr, true)
      case '_?_:_': return this.conditional(expr)
      case '_[_]': return this.index(expr, false)
      case '_[?_]': return this.index(expr, true)
      case '@not_strictly_false': return this.notStrictlyFalse(expr)
      default:
    }
    const member = expr.target !== undefined && !this.checked.namespaced.has(expr.id) ? [expr.target] : []
    const args = [...member, ...expr.args].map(arg => this.plan(arg))
    const overloads = this.checked.overloads.get(expr.id) ?? []
    const [first, second] = args
    if (member.length === 1 && args.length === 2 && first !== undefined && second !== undefined && overloads[0]?.params[0]?.kind === 'opaque') {
      if (expr.name === 'or' || expr.name === 'orValue') return this.optionalOr(first, second, expr.name === 'orValue')
    }
    const name = this.checked.namespaced.get(expr.id) ?? expr.name
    if (name === '@in' && first !== undefined && second?.constant instanceof CelList && isPrimitiveList(second.constant)) return membership(first, second.constant)
    const run = dispatch(name, overloads, args.map(arg => arg.run))
    return conversionNames.has(name) && args.length === 1 && first?.constant !== undefined ? folded(first.constant, overloads) ?? { run } : { run }
  }

  private logical(expr: Expr & { kind: 'call' }, decisive: boolean): Planned {
    const terms = expr.args.map(arg => this.plan(arg).run)
    return {
      run: context => {
        let failure: unknown
        for (const term of terms) {
          try {
            const value = term(context)
            if (value === decisive) return decisive
            if (value !== !decisive) failure ??= noSuchOverload()
          } catch (error) {
            if (!(error instanceof CelEvaluationError)) throw error
            failure ??= error
          }
        }
        if (failure !== undefined) throw failure
        return !decisive
      },
    }
  }

  private conditional(expr: Expr & { kind: 'call' }): Planned {
    const [condition, yes, no] = expr.args.map(arg => this.plan(arg))
    if (condition === undefined || yes === undefined || no === undefined) throw noSuchOverload()
    const whenTrue = yes.resolve ?? yes.run
    const whenFalse = no.resolve ?? no.run
    return attribute(context => {
      const value = condition.run(context)
      if (typeof value !== 'boolean') throw noSuchOverload()
      return value ? whenTrue(context) : whenFalse(context)
    }, 0)
  }

  private notStrictlyFalse(expr: Expr & { kind: 'call' }): Planned {
    const inner = this.plan(expr.args[0] ?? expr).run
    return {
      run: context => {
        let holds = true
        try {
          const value = inner(context)
          holds = typeof value !== 'boolean' || value
        } catch (error) {
          if (!(error instanceof CelEvaluationError)) throw error
        }
        context.charge(1)
        return holds
      },
    }
  }

  private optionalOr(first: Planned, second: Planned, unwrap: boolean): Planned {
    return {
      run: context => {
        const value = first.run(context)
        if (!(value instanceof OptionalValue)) throw noSuchOverload()
        if (value.value === undefined) return second.run(context)
        return unwrap ? value.value : value
      },
    }
  }

  private list(expr: Expr & { kind: 'list' }): Planned {
    const elements = expr.elements.map(element => this.plan(element))
    const steps = elements.map(element => element.run)
    const build = (values: readonly Value[]) => new CelList(values.flatMap((value, index) => expr.optional.has(index) ? unwrapElement(value) : [value]))
    if (elements.every(element => element.constant !== undefined)) return constant(build(elements.map(element => element.constant ?? null)))
    return {
      run: context => {
        const values = priced(context, listBase, () => steps.map(step => step(context)))
        return build(values)
      },
    }
  }

  private map(expr: Expr & { kind: 'map' }): Planned {
    const entries = expr.entries.map(entry => ({ key: this.plan(entry.key), value: this.plan(entry.value), optional: entry.optional }))
    if (entries.every(entry => entry.key.constant !== undefined && entry.value.constant !== undefined && !entry.optional)) {
      return constant(new ValueMap(entries.map((entry): [Value, Value] => [entry.key.constant ?? null, entry.value.constant ?? null])))
    }
    return {
      run: context => {
        const values = priced(context, mapBase, () => entries.flatMap(({ key, value, optional }): [Value, Value][] => {
          const name = key.run(context)
          const given = value.run(context)
          if (!optional) return [[name, given]]
          if (!(given instanceof OptionalValue)) throw new CelEvaluationError(`cannot initialize optional entry '${show(name)}' from non-optional value ${show(given)}`)
          return given.value === undefined ? [] : [[name, given.value]]
        }))
        return new ValueMap(values)
      },
    }
  }

  private struct(expr: Expr & { kind: 'struct' }): Planned {
    const type = this.checked.types.get(expr.id)
    const fields = expr.fields.map(field => ({ name: field.name, optional: field.optional, run: this.plan(field.value).run }))
    return {
      run: context => {
        const values = priced(context, structBase, () => fields.flatMap(({ name, optional, run }): [string, Value][] => {
          const value = run(context)
          if (!optional) return [[name, value]]
          return value instanceof OptionalValue ? value.value === undefined ? [] : [[name, value.value]] : [[name, value]]
        }))
        if (type?.kind !== 'object') throw new CelEvaluationError(`unknown type: ${expr.typeName}`)
        return constructed(type, values)
      },
    }
  }

  private fold(expr: Expr & { kind: 'fold' }): Planned {
    const range = this.plan(expr.range).run
    const init = this.initial(expr.init)
    const first = this.slots++
    const second = this.slots++
    const accumulator = this.slots++
    const depth = this.locals.length
    this.locals.push({ name: expr.accumulator, slot: accumulator })
    const inner = this.locals.length
    this.locals.push({ name: expr.variable, slot: first })
    if (expr.variable2 !== undefined) this.locals.push({ name: expr.variable2, slot: second })
    const condition = this.plan(expr.condition).run
    const step = this.plan(expr.step).run
    this.locals.length = inner
    const result = this.plan(expr.result).run
    this.locals.length = depth
    const pairs = expr.variable2 !== undefined
    return {
      run: context => {
        const over = range(context)
        const { slots } = context
        slots[accumulator] = attempt(init, context)
        for (const [key, value] of elements(over, pairs)) {
          context.checkDeadline()
          slots[first] = key
          slots[second] = value
          if (condition(context) === false) break
          slots[accumulator] = attempt(step, context)
        }
        const built = slots[accumulator]
        if (built instanceof GrowingList || built instanceof GrowingMap) slots[accumulator] = built.done()
        return result(context)
      },
    }
  }

  // An empty list or map that a comprehension starts with grows in place.
  private initial(expr: Expr): Step {
    if (expr.kind === 'list' && expr.elements.length === 0) return () => new GrowingList()
    if (expr.kind === 'map' && expr.entries.length === 0) return () => new GrowingMap()
    return this.plan(expr).run
  }
}

function unwrapElement(value: Value): Value[] {
  if (!(value instanceof OptionalValue)) throw new CelEvaluationError(`cannot initialize optional list element from non-optional value ${show(value)}`)
  return value.value === undefined ? [] : [value.value]
}

function show(value: Value): string {
  return typeof value === 'object' && value !== null ? typeNameOf(value) : String(value)
}
