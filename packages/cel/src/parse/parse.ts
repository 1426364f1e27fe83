import { parse as parseSource } from '@bufbuild/cel'
import { expandMacro } from './macros.ts'
import { CelCompileError } from '../errors.ts'
import { rewriteOptionalSyntax } from './optional-syntax.ts'
import { errorText } from './source-error.ts'
import { syntaxErrors } from './syntax-errors.ts'
import { maxInt, maxUint, minInt, Uint } from '../values/scalars.ts'
import type { Expr as ParsedExpr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js'
import type { Expr, MapEntry, StructField } from './ast.ts'
import type { MacroSet } from './macros.ts'
import type { RewrittenSource } from './optional-syntax.ts'
import type { Value } from '../values/value.ts'

/** Beyond this an expression is refused before it is parsed: no stack is deep enough for it. */
const maxNesting = 250

/**
 * Parses an expression and expands its macros. Throws {@link CelCompileError} with upstream's form of message
 * (`ERROR: <input>:1:3: Syntax error: ...`, the line, and a mark under the place).
 */
export function parseExpression(source: string, macros: MacroSet): Expr {
  const rewritten = rewriteOptionalSyntax(source)
  refuseDeepNesting(source, rewritten.text)
  let parsed: ReturnType<typeof parseSource>
  try {
    parsed = parseSource(rewritten.text)
  } catch (error) {
    throw new CelCompileError(syntaxErrors(source) ?? syntaxErrorText(source, error), { cause: error })
  }
  return new Converter(source, rewritten, parsed.sourceInfo?.positions ?? {}, macros).convert(parsed.expr)
}

function refuseDeepNesting(source: string, text: string): void {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '(' || character === '[' || character === '{') depth++
    if (character === ')' || character === ']' || character === '}') depth--
    if (depth > maxNesting) throw new CelCompileError(errorText(source, index, `expression recursion limit exceeded: ${maxNesting}`))
  }
}

function syntaxErrorText(source: string, error: unknown): string {
  if (error instanceof RangeError) return `ERROR: <input>:1:1: expression recursion limit exceeded: ${maxNesting}`
  const syntax = error as { rawMessage?: string; location?: { start: { offset: number } } }
  return errorText(source, syntax.location?.start.offset ?? 0, `Syntax error: ${syntax.rawMessage ?? (error as Error).message}`)
}

class Converter {
  private readonly source: string
  private readonly rewritten: RewrittenSource
  private readonly positions: { [id: string]: number }
  private readonly macros: MacroSet
  private nextId: number

  constructor(source: string, rewritten: RewrittenSource, positions: { [id: string]: number }, macros: MacroSet) {
    this.source = source
    this.rewritten = rewritten
    this.positions = positions
    this.macros = macros
    this.nextId = Object.keys(positions).reduce((highest, id) => Math.max(highest, Number(id)), 0) + 1
  }

  convert(expr: ParsedExpr): Expr {
    const base = { id: Number(expr.id), at: this.skipSpace(this.positions[String(expr.id)] ?? 0) }
    const { exprKind } = expr
    switch (exprKind.case) {
      case 'constExpr': return { ...base, kind: 'literal', value: this.literal(base.at, exprKind.value.constantKind) }
      case 'identExpr': return { ...base, kind: 'ident', name: exprKind.value.name }
      case 'selectExpr': return this.select(base, exprKind.value.operand, exprKind.value.field, exprKind.value.testOnly)
      case 'callExpr': return this.call(base, exprKind.value)
      case 'listExpr': return this.list(base, exprKind.value.elements)
      case 'structExpr': return this.struct(base, exprKind.value)
      case 'comprehensionExpr': {
        const fold = exprKind.value
        return {
          ...base, kind: 'fold', variable: fold.iterVar, accumulator: fold.accuVar,
          range: this.required(fold.iterRange), init: this.required(fold.accuInit), condition: this.required(fold.loopCondition),
          step: this.required(fold.loopStep), result: this.required(fold.result),
        }
      }
      default: throw new CelCompileError(errorText(this.source, base.at, 'unsupported expression'))
    }
  }

  private skipSpace(at: number): number {
    let offset = at
    while (/\s/.test(this.rewritten.text[offset] ?? '')) offset++
    return offset
  }

  // Upstream places a call at its parenthesis and a conditional at its question mark.
  private placeOf(call: { name: string; at: number; args: readonly Expr[] }): number {
    if (call.name === '_?_:_') return this.find('?', endOf(call.args[0], call.at))
    if (/^[_!@-]/.test(call.name)) return call.at
    return this.find('(', call.at)
  }

  private find(character: string, from: number): number {
    const offset = this.rewritten.text.indexOf(character, from)
    return offset < 0 ? from : offset
  }

  private literal(at: number, constant: { case: string | undefined; value?: unknown }): Value {
    const { value } = constant
    switch (constant.case) {
      case 'nullValue': return null
      case 'uint64Value':
        if (typeof value !== 'bigint' || value > maxUint) throw new CelCompileError(errorText(this.source, at, 'invalid uint literal'))
        return new Uint(value)
      case 'int64Value':
        if (typeof value !== 'bigint' || value > maxInt || value < minInt) throw new CelCompileError(errorText(this.source, at, 'invalid int literal'))
        return value
      case 'bytesValue':
      case 'boolValue':
      case 'doubleValue':
      case 'stringValue': return value as Value
      default: throw new CelCompileError(errorText(this.source, at, 'unsupported literal'))
    }
  }

  private required(expr: ParsedExpr | undefined): Expr {
    if (expr === undefined) throw new CelCompileError(errorText(this.source, 0, 'incomplete expression'))
    return this.convert(expr)
  }

  private select(base: { id: number; at: number }, operand: ParsedExpr | undefined, field: string, test: boolean): Expr {
    const optional = this.rewritten.selects.has(base.at) && field.startsWith('_')
    return { ...base, kind: 'select', operand: this.required(operand), field: optional ? field.slice(1) : field, test, optional }
  }

  private call(base: { id: number; at: number }, call: { function: string; target?: ParsedExpr; args: ParsedExpr[] }): Expr {
    const optionalIndex = call.function === '_[_]' && this.rewritten.indexes.has(base.at)
    const converted = {
      ...base, kind: 'call' as const, name: optionalIndex ? '_[?_]' : call.function,
      ...(call.target === undefined ? {} : { target: this.convert(call.target) }), args: call.args.map(arg => this.convert(arg)),
    }
    const placed = { ...converted, at: this.placeOf(converted) }
    const fail = (at: number, message: string): never => { throw new CelCompileError(errorText(this.source, at, message)) }
    const [first] = placed.args
    if (placed.name === 'has' && placed.target === undefined && placed.args.length === 1) fail(first?.at ?? placed.at, 'invalid argument to has() macro')
    // The parser leaves a standard macro as a call where its first argument is no name.
    if (placed.target !== undefined && first?.kind !== 'ident' && standardMacros.get(placed.name)?.includes(placed.args.length) === true) {
      fail(first?.at ?? placed.at, placed.name === 'map' || placed.name === 'filter' ? 'argument is not an identifier' : 'argument must be a simple name')
    }
    return expandMacro(placed, this.macros, { id: () => this.nextId++, fail })
  }

  private list(base: { id: number; at: number }, elements: readonly ParsedExpr[]): Expr {
    const optional = new Set<number>()
    const converted = elements.map((element, index) => {
      const [expr, marked] = this.withoutMark(this.convert(element))
      if (marked) optional.add(index)
      return expr
    })
    return { ...base, kind: 'list', elements: converted, optional }
  }

  private struct(base: { id: number; at: number }, struct: { messageName: string; entries: readonly StructEntry[] }): Expr {
    const fields: StructField[] = []
    const entries: MapEntry[] = []
    for (const entry of struct.entries) {
      const value = this.required(entry.value)
      if (entry.keyKind.case === 'fieldKey') {
        const from = this.positions[String(entry.id)] ?? 0
        const optional = [...this.rewritten.fields].some(at => at >= from && at < value.at) && entry.keyKind.value.startsWith('_')
        fields.push({ name: optional ? entry.keyKind.value.slice(1) : entry.keyKind.value, value, optional })
      } else {
        const [key, optional] = this.withoutMark(this.required(entry.keyKind.value))
        entries.push({ key, value, optional })
      }
    }
    return struct.messageName === '' ? { ...base, kind: 'map', entries } : { ...base, kind: 'struct', typeName: struct.messageName, fields }
  }

  // The mark of an optional entry became a `!` in front of it: it is the leftmost operand.
  private withoutMark(expr: Expr): [Expr, boolean] {
    if (this.rewritten.entries.size === 0) return [expr, false]
    if (expr.kind === 'call') {
      const [first, ...rest] = expr.args
      if (expr.name === '!_' && first !== undefined && this.rewritten.entries.has(expr.at)) return [first, true]
      if (expr.target === undefined && first !== undefined && expr.name.startsWith('_')) {
        const [inner, marked] = this.withoutMark(first)
        return [marked ? { ...expr, args: [inner, ...rest] } : expr, marked]
      }
    }
    return [expr, false]
  }
}

const standardMacros = new Map([['all', [2]], ['exists', [2]], ['exists_one', [2]], ['map', [2, 3]], ['filter', [2]]])

// The furthest offset known inside of an expression.
function endOf(expr: Expr | undefined, otherwise: number): number {
  if (expr === undefined) return otherwise
  switch (expr.kind) {
    case 'select': return Math.max(expr.at, endOf(expr.operand, expr.at))
    case 'call': return Math.max(expr.at, ...[expr.target, ...expr.args].map(part => endOf(part, expr.at)))
    case 'list': return Math.max(expr.at, ...expr.elements.map(part => endOf(part, expr.at)))
    case 'map': return Math.max(expr.at, ...expr.entries.map(entry => endOf(entry.value, expr.at)))
    case 'struct': return Math.max(expr.at, ...expr.fields.map(field => endOf(field.value, expr.at)))
    case 'fold': return Math.max(expr.at, endOf(expr.range, expr.at), endOf(expr.step, expr.at))
    default: return expr.at
  }
}

interface StructEntry {
  readonly id: bigint
  readonly keyKind: { case: 'fieldKey'; value: string } | { case: 'mapKey'; value: ParsedExpr } | { case: undefined; value?: undefined }
  readonly value?: ParsedExpr
}


