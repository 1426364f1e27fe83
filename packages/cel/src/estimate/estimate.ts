import { codePoints, listBase, mapBase, structBase } from '../functions/cost.ts'
import { eitherSize, estimateCall } from './calls.ts'
import { Path } from './path.ts'
import { add, exactly, multiply, one, union, unbounded, unknown, zero } from './range.ts'
import { errorType, optionalElement } from '../types/types.ts'
import type { Argument } from './calls.ts'
import type { Range } from './range.ts'
import type { SizeLookup } from './sizes.ts'
import type { Checked } from '../check/check.ts'
import type { Expr } from '../parse/ast.ts'
import type { CelType } from '../types/types.ts'

/** What the keys (or positions) and the values of a list or a map may be in size. */
interface Entries {
  readonly kind: 'list' | 'map'
  readonly key: Range
  readonly value: Range
}

/** A name that a comprehension or `cel.bind` introduces. */
interface Local {
  readonly path: Path | undefined
  readonly size: Range | undefined
  readonly entries: Entries | undefined
}

/**
 * Estimates what a checked expression costs at least and at most, by the sizes of what it reads. The model is upstream's, its
 * limits included: what it leaves out of account is left out here.
 */
export function estimateCost(expr: Expr, checked: Checked, sizes: SizeLookup): Range {
  return new Estimation(checked, sizes).cost(expr)
}

class Estimation {
  private readonly checked: Checked
  private readonly lookUp: SizeLookup
  private readonly paths = new Map<number, Path | undefined>()
  private readonly sizes = new Map<number, Range>()
  private readonly entries = new Map<number, Entries>()
  private readonly locals: { readonly name: string; readonly local: Local }[] = []

  constructor(checked: Checked, sizes: SizeLookup) {
    this.checked = checked
    this.lookUp = sizes
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'literal': return zero
      case 'ident': return this.name(expr, expr.name)
      case 'select': return this.select(expr)
      case 'call': return this.call(expr)
      case 'list': return this.list(expr)
      case 'map': return this.map(expr)
      case 'struct': return add(exactly(structBase), ...expr.fields.map(field => this.cost(field.value)))
      case 'fold': return isBind(expr) ? this.bind(expr) : this.fold(expr)
    }
  }

  private name(expr: Expr, name: string): Range {
    const local = this.local(name)
    this.paths.set(expr.id, local === undefined ? Path.of(name) : local.path)
    return one
  }

  private select(expr: Expr & { kind: 'select' }): Range {
    const reference = this.checked.references.get(expr.id)
    if (reference !== undefined) return this.name(expr, reference.name)
    const operand = this.cost(expr.operand)
    if (expr.test) return operand
    if (expr.optional) return add(operand, one)
    this.paths.set(expr.id, Path.below(this.pathOf(expr.operand), expr.field))
    const { kind } = this.typeOf(expr.operand)
    return kind === 'map' || kind === 'object' ? add(operand, one) : operand
  }

  private call(expr: Expr & { kind: 'call' }): Range {
    const [first] = expr.args
    if (expr.name === 'dyn' && first !== undefined) {
      const cost = add(one, this.cost(first))
      this.sizeLike(expr, first)
      return cost
    }
    const costs: Range[] = []
    const args: Argument[] = []
    for (const arg of expr.args) {
      costs.push(this.cost(arg))
      args.push(this.argument(arg))
    }
    const name = this.checked.namespaced.get(expr.id) ?? expr.name
    if (name === '_&&_' || name === '_||_') return { min: costs[0]?.min ?? 0n, max: add(...costs).max }
    if (name === '_?_:_') return this.conditional(expr, costs, args)
    const receiver = expr.target !== undefined && !this.checked.namespaced.has(expr.id) ? expr.target : undefined
    const before = receiver === undefined ? zero : this.cost(receiver)
    const target = receiver === undefined ? undefined : this.argument(receiver)
    return add(before, ...costs, this.overloads(expr, name, target, args))
  }

  // The range that holds every overload that may be meant.
  private overloads(expr: Expr, name: string, target: Argument | undefined, args: readonly Argument[]): Range {
    const overloads = this.checked.overloads.get(expr.id) ?? []
    if (overloads.length === 0) return zero
    let cost: Range = { min: unbounded, max: 0n }
    let size: Range | undefined
    for (const overload of overloads) {
      const estimate = estimateCall(name, { overload, target, args, element: list => this.element(list) })
      cost = union(cost, estimate.cost)
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : union(size, estimate.size)
      const [container, second] = args
      if (name === '_+_' && container?.expr !== undefined && second?.expr !== undefined) this.joined(expr, container.expr, second.expr)
      if (name === '_[_]' && container?.expr !== undefined) {
        const kind = overload.params[0]?.kind
        if (kind === 'list' || kind === 'map') {
          size = this.entriesOf(container.expr)?.value
          this.paths.set(expr.id, Path.below(this.pathOf(container.expr), kind === 'list' ? '@items' : '@values'))
        }
      }
      size ??= this.sizeOf(expr)
    }
    if (size !== undefined) this.sizes.set(expr.id, size)
    return cost
  }

  private joined(expr: Expr, a: Expr, b: Expr): void {
    const entries = eitherEntries(this.entriesOf(a), this.entriesOf(b))
    if (entries !== undefined) this.entries.set(expr.id, entries)
  }

  private conditional(expr: Expr, costs: readonly Range[], args: readonly Argument[]): Range {
    const [condition = zero, yes = zero, no = zero] = costs
    const [, whenTrue, whenFalse] = args
    this.sizes.set(expr.id, eitherSize(whenTrue?.size, whenFalse?.size))
    if (whenTrue?.expr !== undefined && whenFalse?.expr !== undefined) this.joined(expr, whenTrue.expr, whenFalse.expr)
    return add(condition, union(yes, no))
  }

  private list(expr: Expr & { kind: 'list' }): Range {
    const costs = expr.elements.map(element => this.cost(element))
    this.entries.set(expr.id, { kind: 'list', key: one, value: this.largest(expr.elements) })
    return add(exactly(listBase), ...costs)
  }

  private map(expr: Expr & { kind: 'map' }): Range {
    const costs = expr.entries.flatMap(({ key, value }) => [this.cost(key), this.cost(value)])
    this.entries.set(expr.id, { kind: 'map', key: this.largest(expr.entries.map(({ key }) => key)), value: this.largest(expr.entries.map(({ value }) => value)) })
    return add(exactly(mapBase), ...costs)
  }

  private largest(parts: readonly Expr[]): Range {
    if (parts.length === 0) return zero
    return parts.map(part => this.sizeOf(part) ?? unknown).reduce(union)
  }

  private fold(expr: Expr & { kind: 'fold' }): Range {
    const { range, init, condition, step, result, variable, variable2, accumulator } = expr
    const before = add(this.cost(range), this.cost(init))
    this.bound(accumulator, init)
    const depth = this.locals.length
    if (variable2 === undefined) this.single(variable, range)
    else {
      this.part(variable, range, 'key')
      this.part(variable2, range, 'value')
    }
    const each = add(this.cost(condition), this.cost(step))
    this.locals.length = depth
    const after = this.cost(result)
    this.locals.length = depth - 1
    const count = this.sizeOf(range) ?? unknown
    if (init.kind === 'literal') this.sizeLike(expr, init)
    if (init.kind === 'list' || init.kind === 'map') {
      this.sizes.set(expr.id, count)
      const entries = this.entriesOf(step)
      if (entries !== undefined) this.entries.set(expr.id, entries)
    }
    return add(before, after, multiply(count, each))
  }

  private bind(expr: Expr & { kind: 'fold' }): Range {
    const before = add(this.cost(expr.range), this.cost(expr.init))
    this.bound(expr.accumulator, expr.init)
    const after = this.cost(expr.result)
    this.locals.pop()
    this.sizeLike(expr, expr.result)
    return add(before, after)
  }

  private bound(name: string, to: Expr): void {
    this.locals.push({ name, local: { path: this.pathOf(to), size: this.sizeOf(to), entries: this.entriesOf(to) } })
  }

  // The one variable of a comprehension: an element of a list, or a key of a map.
  private single(name: string, range: Expr): void {
    this.part(name, range, this.containerOf(range) === 'list' ? 'value' : 'key')
  }

  private part(name: string, range: Expr, part: 'key' | 'value'): void {
    const names = this.containerOf(range) === 'list' ? { key: '@indices', value: '@items' } : { key: '@keys', value: '@values' }
    this.locals.push({ name, local: { path: Path.below(this.pathOf(range), names[part]), size: this.entriesOf(range)?.[part], entries: undefined } })
  }

  private containerOf(range: Expr): 'list' | 'map' {
    return this.entriesOf(range)?.kind ?? (this.typeOf(range).kind === 'list' ? 'list' : 'map')
  }

  private local(name: string): Local | undefined {
    return this.locals.findLast(local => local.name === name)?.local
  }

  private typeOf(expr: Expr): CelType {
    return this.checked.types.get(expr.id) ?? errorType
  }

  private pathOf(expr: Expr): Path | undefined {
    const local = expr.kind === 'ident' ? this.local(expr.name) : undefined
    return local === undefined ? this.paths.get(expr.id) : local.path
  }

  private argument(expr: Expr): Argument {
    const path = this.pathOf(expr)?.names()
    return { type: this.typeOf(expr), expr, ...(path === undefined ? {} : { path }), size: this.sizeOf(expr) ?? unknown }
  }

  private element({ type, path }: Argument): Argument | undefined {
    const element = type.kind === 'list' ? type.element : type.kind === 'map' ? type.key : optionalElement(type)
    if (element === undefined) return undefined
    const below = path === undefined || path.length === 0 ? undefined : [...path, '@items']
    return { type: element, size: (below === undefined ? undefined : this.lookUp(below)) ?? unknown }
  }

  private sizeLike(expr: Expr, other: Expr): void {
    const size = this.sizeOf(other)
    if (size !== undefined) this.sizes.set(expr.id, size)
    const entries = this.entriesOf(other)
    if (entries !== undefined) this.entries.set(expr.id, entries)
  }

  private sizeOf(expr: Expr): Range | undefined {
    const known = this.sizes.get(expr.id) ?? writtenSize(expr)
    if (known !== undefined) return known
    const path = this.pathOf(expr)
    const found = path === undefined ? undefined : this.lookUp(path.names())
    if (found !== undefined) {
      this.sizes.set(expr.id, found)
      return found
    }
    if (isScalar(this.typeOf(expr))) return one
    return expr.kind === 'ident' ? this.local(expr.name)?.size : undefined
  }

  private entriesOf(expr: Expr): Entries | undefined {
    return this.entries.get(expr.id) ?? (expr.kind === 'ident' ? this.local(expr.name)?.entries : undefined)
  }
}

function eitherEntries(a: Entries | undefined, b: Entries | undefined): Entries | undefined {
  return a === undefined || b === undefined ? undefined : { kind: a.kind, key: union(a.key, b.key), value: union(a.value, b.value) }
}

// A comprehension over nothing, which only binds a name.
function isBind({ range, condition }: Expr & { kind: 'fold' }): boolean {
  return range.kind === 'list' && range.elements.length === 0 && condition.kind === 'literal' && condition.value === false
}

// What is written out in the expression has the size that it has.
function writtenSize(expr: Expr): Range | undefined {
  switch (expr.kind) {
    case 'literal': return exactly(typeof expr.value === 'string' ? codePoints(expr.value) : expr.value instanceof Uint8Array ? expr.value.length : 1)
    case 'list': return exactly(expr.elements.length)
    case 'map': return exactly(expr.entries.length)
    default: return undefined
  }
}

const scalars: ReadonlySet<CelType['kind']> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

function isScalar(type: CelType): boolean {
  if (scalars.has(type.kind)) return true
  const inner = optionalElement(type)
  return inner !== undefined && isScalar(inner)
}
