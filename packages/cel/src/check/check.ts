import { qualifiedName } from '../parse/ast.ts'
import { errorText } from '../parse/source-error.ts'
import { Scope } from './scope.ts'
import { formatArguments, mostGeneral, Substitution } from './unify.ts'
import * as types from '../types/types.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import type { Expr } from '../parse/ast.ts'
import type { CelType, ObjectType } from '../types/types.ts'
import type { FunctionTable, Overload } from '../functions/overload.ts'

/** What an expression may refer to. */
export interface Declarations {
  readonly variables: ReadonlyMap<string, CelType>
  readonly functions: FunctionTable
  /** Types that expressions name, as values and to construct objects of. */
  readonly types: types.TypeTable
}

/** What checking found out, by the ids of the expressions. */
export interface Checked {
  readonly type: CelType
  readonly types: ReadonlyMap<number, CelType>
  /** A name that is a variable, or a type (then its value is that type). */
  readonly references: ReadonlyMap<number, { name: string; typeValue?: string }>
  readonly overloads: ReadonlyMap<number, readonly Overload[]>
  /** Calls whose receiver turned out to be the namespace of a function: `ip.isCanonical(x)`. */
  readonly namespaced: ReadonlyMap<number, string>
  /** In upstream's words and form; empty where the expression is sound. */
  readonly errors: readonly string[]
}

/** Checks a parsed expression against the declarations, as cel-go does: every error is reported, each once. */
export function checkExpression(source: string, expr: Expr, declarations: Declarations): Checked {
  return new Checker(source, declarations).run(expr)
}

class Checker {
  private readonly source: string
  private readonly declarations: Declarations
  private readonly typesById = new Map<number, CelType>()
  private readonly references = new Map<number, { name: string; typeValue?: string }>()
  private readonly overloads = new Map<number, readonly Overload[]>()
  private readonly namespaced = new Map<number, string>()
  private readonly errors: { at: number; text: string }[] = []
  private substitution = new Substitution()
  private variables = 0

  constructor(source: string, declarations: Declarations) {
    this.source = source
    this.declarations = declarations
  }

  run(expr: Expr): Checked {
    this.check(expr, new Scope(this.declarations.variables))
    const resolved = new Map([...this.typesById].map(([id, type]) => [id, this.substitution.apply(type, types.dynType)]))
    return {
      type: resolved.get(expr.id) ?? types.errorType, types: resolved, references: this.references, overloads: this.overloads, namespaced: this.namespaced,
      errors: this.errors.sort((a, b) => a.at - b.at).map(error => error.text),
    }
  }

  private check(expr: Expr, scope: Scope): CelType {
    const type = this.typeOf(expr, scope)
    this.typesById.set(expr.id, type)
    return type
  }

  private typeOf(expr: Expr, scope: Scope): CelType {
    switch (expr.kind) {
      case 'literal': return literalTypes[typeNameOf(expr.value)] ?? types.errorType
      case 'ident': return this.named(expr, expr.name, scope) ?? this.undeclared(expr, expr.name)
      case 'select': return this.select(expr, scope)
      case 'call': return this.call(expr, scope)
      case 'list': return this.list(expr, scope)
      case 'map': return this.map(expr, scope)
      case 'struct': return this.struct(expr, scope)
      case 'fold': return this.fold(expr, scope)
    }
  }

  private fail(at: number, message: string): CelType {
    this.errors.push({ at, text: errorText(this.source, at, message) })
    return types.errorType
  }

  private undeclared(expr: Expr, name: string): CelType {
    return this.fail(expr.at, `undeclared reference to '${name}' (in container '')`)
  }

  private named(expr: Expr, name: string, scope: Scope): CelType | undefined {
    const variable = scope.lookup(name)
    if (variable !== undefined) {
      this.references.set(expr.id, { name })
      return variable
    }
    const named = this.declarations.types.get(name)
    if (named === undefined) return undefined
    this.references.set(expr.id, { name, typeValue: types.runtimeTypeName(named) })
    return { kind: 'type', of: named }
  }

  private select(expr: Expr & { kind: 'select' }, scope: Scope): CelType {
    const name = qualifiedName(expr)
    const known = name === undefined ? undefined : this.named(expr, name, scope)
    if (known !== undefined) return known
    const operand = this.substitution.apply(this.check(expr.operand, scope))
    const inner = types.optionalElement(operand)
    const field = this.fieldType(expr, inner ?? operand)
    const result = inner !== undefined || expr.optional ? types.optionalType(field) : field
    return expr.test ? types.boolType : this.substitution.apply(result)
  }

  private fieldType(expr: Expr & { kind: 'select' }, target: CelType): CelType {
    switch (target.kind) {
      case 'map': return target.value
      case 'object': return target.fields.get(expr.field) ?? (target.open === true ? types.dynType : undefined) ?? this.fail(expr.at, `undefined field '${expr.field}'`)
      case 'param':
        this.assign(types.dynType, target)
        return types.dynType
      case 'dyn':
      case 'any':
      case 'error': return types.dynType
      default:
        this.fail(expr.at, `type '${types.formatType(target)}' does not support field selection`)
        return types.dynType
    }
  }

  private assign(from: CelType, to: CelType): boolean {
    const next = this.substitution.assign(from, to)
    if (next !== undefined) this.substitution = next
    return next !== undefined
  }

  private call(expr: Expr & { kind: 'call' }, scope: Scope): CelType {
    const { target } = expr
    const args = expr.args.map(arg => this.check(arg, scope))
    if (target === undefined) {
      const functions = this.declarations.functions.get(expr.name)
      return functions === undefined ? this.undeclared(expr, expr.name) : this.resolve(expr, expr.name, functions, args, false)
    }
    const prefix = qualifiedName(target)
    const full = prefix === undefined ? undefined : `${prefix}.${expr.name}`
    const namespaced = full === undefined ? undefined : this.declarations.functions.get(full)
    if (full !== undefined && namespaced !== undefined) {
      this.namespaced.set(expr.id, full)
      return this.resolve(expr, full, namespaced, args, false)
    }
    const receiver = this.check(target, scope)
    const functions = this.declarations.functions.get(expr.name)
    return functions === undefined ? this.undeclared(expr, expr.name) : this.resolve(expr, expr.name, functions, [receiver, ...args], true)
  }

  private resolve(expr: Expr & { kind: 'call' }, name: string, functions: readonly Overload[], args: readonly CelType[], member: boolean): CelType {
    if (name === '_&&_' || name === '_||_') return this.logical(expr, args)
    const fitting: Overload[] = []
    let result: CelType | undefined
    for (const candidate of functions) {
      if (candidate.member !== member) continue
      const fresh = new Substitution(new Map(candidate.typeParams.map(param => [param, this.freshVariable()])))
      const params = candidate.params.map(param => fresh.apply(param))
      const next = this.substitution.assignAll(args, params)
      if (next === undefined) continue
      this.substitution = next
      fitting.push(candidate)
      const type = this.substitution.apply(fresh.apply(candidate.result))
      if (result === undefined) result = type
      else if (!types.isDyn(result) && !types.sameType(type, result)) result = types.dynType
    }
    if (result === undefined) {
      const shown = args.map(arg => this.substitution.apply(arg, types.dynType))
      return this.fail(expr.at, `found no matching overload for '${name}' applied to '${formatArguments(shown, member)}'`)
    }
    this.overloads.set(expr.id, fitting)
    return result
  }

  private logical(expr: Expr & { kind: 'call' }, args: readonly CelType[]): CelType {
    let sound = true
    for (const [index, type] of args.entries()) {
      if (this.assign(type, types.boolType)) continue
      sound = false
      this.fail(expr.args[index]?.at ?? expr.at, `expected type 'bool' but found '${types.formatType(this.substitution.apply(type))}'`)
    }
    return sound ? types.boolType : types.errorType
  }

  private freshVariable(): CelType {
    return { kind: 'param', name: `_var${this.variables++}` }
  }

  private join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current
    return this.assign(previous, current) ? mostGeneral(previous, current) : types.dynType
  }

  private mismatch(expr: Expr, expected: CelType, found: CelType): CelType {
    return this.fail(expr.at, `expected type '${types.formatType(expected)}' but found '${types.formatType(found)}'`)
  }

  // An optional element or entry counts as what it holds.
  private unwrapped(expr: Expr, type: CelType, optional: boolean): CelType {
    if (!optional) return type
    const inner = types.optionalElement(this.substitution.apply(type))
    if (inner !== undefined) return inner
    if (!types.isDyn(type)) this.mismatch(expr, types.optionalType(type), type)
    return type
  }

  private list(expr: Expr & { kind: 'list' }, scope: Scope): CelType {
    let element: CelType | undefined
    for (const [index, item] of expr.elements.entries()) {
      element = this.join(element, this.unwrapped(item, this.check(item, scope), expr.optional.has(index)))
    }
    return types.listType(element ?? this.freshVariable())
  }

  private map(expr: Expr & { kind: 'map' }, scope: Scope): CelType {
    let key: CelType | undefined
    let value: CelType | undefined
    for (const entry of expr.entries) {
      key = this.join(key, this.check(entry.key, scope))
      value = this.join(value, this.unwrapped(entry.value, this.check(entry.value, scope), entry.optional))
    }
    return types.mapType(key ?? this.freshVariable(), value ?? this.freshVariable())
  }

  private struct(expr: Expr & { kind: 'struct' }, scope: Scope): CelType {
    const type = this.declarations.types.get(expr.typeName)
    if (type === undefined) return this.undeclared(expr, expr.typeName)
    if (type.kind !== 'object') return this.fail(expr.at, `'${types.formatType(type)}' is not a message type`)
    for (const field of expr.fields) this.field(expr, type, field, scope)
    return type
  }

  private field(expr: Expr, type: ObjectType, field: { name: string; value: Expr; optional: boolean }, scope: Scope): void {
    const given = this.unwrapped(field.value, this.check(field.value, scope), field.optional)
    const declared = type.fields.get(field.name) ?? (type.open === true ? types.dynType : undefined)
    if (declared === undefined) this.fail(expr.at, `undefined field '${field.name}'`)
    else if (!this.assign(declared, given)) {
      const shown = types.formatType(this.substitution.apply(given))
      this.fail(field.value.at, `expected type of field '${field.name}' is '${types.formatType(declared)}' but provided type is '${shown}'`)
    }
  }

  private fold(expr: Expr & { kind: 'fold' }, scope: Scope): CelType {
    const range = this.substitution.apply(this.check(expr.range, scope))
    const accumulator = this.check(expr.init, scope)
    const outer = scope.within([[expr.accumulator, accumulator]])
    const [first, second] = this.elements(expr, range)
    const inner = outer.within([[expr.variable, first], ...(expr.variable2 === undefined ? [] : [[expr.variable2, second] as const])])
    this.expect(expr.condition, this.check(expr.condition, inner), types.boolType)
    this.expect(expr.step, this.check(expr.step, inner), accumulator)
    return this.substitution.apply(this.check(expr.result, outer))
  }

  // What the variables of a comprehension are: the element or key, or with two of them index and element, key and value.
  private elements(expr: Expr & { kind: 'fold' }, range: CelType): [CelType, CelType] {
    switch (range.kind) {
      case 'list': return expr.variable2 === undefined ? [range.element, range.element] : [types.intType, range.element]
      case 'map': return [range.key, range.value]
      case 'dyn':
      case 'error':
      case 'param':
        this.assign(types.dynType, range)
        return [types.dynType, types.dynType]
      default: {
        const message = `expression of type '${types.formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`
        const failed = this.fail(expr.range.at, message)
        return [failed, failed]
      }
    }
  }

  private expect(expr: Expr, found: CelType, expected: CelType): void {
    if (!this.assign(expected, found)) this.mismatch(expr, this.substitution.apply(expected), this.substitution.apply(found))
  }
}

const literalTypes: Readonly<Record<string, CelType>> = {
  bool: types.boolType, bytes: types.bytesType, double: types.doubleType, int: types.intType, null_type: types.nullType, string: types.stringType, uint: types.uintType,
}
