import { CelEvaluationError } from '../errors.ts'
import { checkFormat } from './format-call.ts'
import { compileRegex, patternFunctions } from '../functions/regex.ts'
import { errorText } from '../parse/source-error.ts'
import { errorType, formatType, optionalElement, sameType } from '../types/types.ts'
import { checkedTimestamp, parseGoDuration, parseRfc3339 } from '../values/time.ts'
import type { Checked } from './check.ts'
import type { Expr } from '../parse/ast.ts'
import type { CelType } from '../types/types.ts'

/** Something wrong with a literal, at an offset. */
export interface LiteralProblem {
  readonly at: number
  readonly message: string
}

/**
 * What is wrong with the literals of an expression that type-checks: durations, timestamps and regular expressions that cannot be read,
 * lists and maps of mixed types, `format` with arguments that do not fit. Throws CelEvaluationError on a pattern of find or findAll.
 */
export function validateLiterals(source: string, expr: Expr, checked: Checked): string[] {
  const problems: LiteralProblem[] = []
  visit(expr, false, (part, inFormat) => {
    if (part.kind === 'call') problems.push(...callProblems(part, checked))
    if (!inFormat && part.kind === 'list') problems.push(...mixed(part.elements.map((element, index) => [element, part.optional.has(index)]), checked))
    if (!inFormat && part.kind === 'map') {
      problems.push(...mixed(part.entries.map(entry => [entry.key, false]), checked), ...mixed(part.entries.map(entry => [entry.value, entry.optional]), checked))
    }
  })
  return problems.sort((a, b) => a.at - b.at).map(problem => errorText(source, problem.at, problem.message))
}

function mixed(parts: readonly [Expr, boolean][], checked: Checked): LiteralProblem[] {
  let first: CelType | undefined
  for (const [expr, optional] of parts) {
    const type = checked.types.get(expr.id) ?? errorType
    const held = optional ? optionalElement(type) ?? type : type
    first ??= held
    if (!sameType(first, held)) return [{ at: expr.at, message: `expected type '${formatType(first)}' but found '${formatType(held)}'` }]
  }
  return []
}

function callProblems(call: Expr & { kind: 'call' }, checked: Checked): LiteralProblem[] {
  const [first] = call.args
  if (call.name === 'duration' && call.args.length === 1) {
    // Only text makes a duration here, though the function takes numbers too.
    if (first?.kind === 'literal' && typeof first.value !== 'string') return [{ at: first.at, message: 'invalid duration argument' }]
    return invalid(call, first, text => parseGoDuration(text) === undefined)
  }
  if (call.name === 'timestamp' && call.args.length === 1) return invalid(call, first, isBadTimestamp)
  if (call.name === 'format') return checkFormat(call, checked)
  if (!patternFunctions.includes(call.name)) return []
  const pattern = call.target === undefined ? call.args[1] : first
  if (call.name === 'matches') return invalid(call, pattern, text => regexProblem(text) !== undefined)
  const problem = pattern?.kind === 'literal' && typeof pattern.value === 'string' ? regexProblem(pattern.value) : undefined
  if (problem !== undefined) throw new CelEvaluationError(problem)
  return []
}

function invalid(call: Expr & { kind: 'call' }, expr: Expr | undefined, bad: (text: string) => boolean): LiteralProblem[] {
  return expr?.kind === 'literal' && typeof expr.value === 'string' && bad(expr.value) ? [{ at: expr.at, message: `invalid ${call.name} argument` }] : []
}

function isBadTimestamp(text: string): boolean {
  const time = parseRfc3339(text)
  if (time === undefined) return true
  try {
    checkedTimestamp(time.nanos)
    return false
  } catch (error) {
    if (error instanceof CelEvaluationError) return true
    throw error
  }
}

function regexProblem(pattern: string): string | undefined {
  try {
    compileRegex(pattern)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function visit(expr: Expr, inFormat: boolean, on: (part: Expr, inFormat: boolean) => void): void {
  on(expr, inFormat)
  for (const child of childrenOf(expr)) visit(child, inFormat || expr.kind === 'call' && expr.name === 'format', on)
}

function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'select': return [expr.operand]
    case 'call': return expr.target === undefined ? expr.args : [expr.target, ...expr.args]
    case 'list': return expr.elements
    case 'map': return expr.entries.flatMap(entry => [entry.key, entry.value])
    case 'struct': return expr.fields.map(field => field.value)
    case 'fold': return [expr.range, expr.init, expr.condition, expr.step, expr.result]
    default: return []
  }
}
