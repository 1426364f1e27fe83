import { errorType, runtimeTypeName } from '../types/types.ts'
import type { Checked } from './check.ts'
import type { LiteralProblem } from './literals.ts'
import type { Expr } from '../parse/ast.ts'
import type { CelType } from '../types/types.ts'

const integers: readonly CelType['kind'][] = ['int', 'uint']
const clauses: Readonly<Record<string, { kinds: readonly CelType['kind'][]; refusal: string }>> = {
  s: {
    kinds: ['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null'],
    refusal: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  },
  d: { kinds: integers, refusal: 'decimal clause can only be used on integers' },
  f: { kinds: ['double', 'string'], refusal: 'fixed-point clause can only be used on doubles' },
  e: { kinds: ['double', 'string'], refusal: 'scientific clause can only be used on doubles' },
  b: { kinds: [...integers, 'bool'], refusal: 'only integers and bools can be formatted as binary' },
  x: { kinds: [...integers, 'string', 'bytes'], refusal: 'only integers, byte buffers, and strings can be formatted as hex' },
  X: { kinds: [...integers, 'string', 'bytes'], refusal: 'only integers, byte buffers, and strings can be formatted as hex' },
  o: { kinds: integers, refusal: 'octal clause can only be used on integers' },
}

/** What is wrong with `"literal".format([literal list])`: too few or too many arguments, or one of a wrong type. */
export function checkFormat(call: Expr & { kind: 'call' }, checked: Checked): LiteralProblem[] {
  const [list] = call.args
  if (call.target?.kind !== 'literal' || typeof call.target.value !== 'string' || list?.kind !== 'list') return []
  let used = 0
  for (const match of call.target.value.matchAll(/%(?:%|(?:\.\d*)?([\s\S])?)/g)) {
    if (match[0] === '%%') continue
    const verb = match[1]
    if (verb === undefined) return [{ at: call.at, message: 'unexpected end of string' }]
    const argument = list.elements[used]
    if (argument === undefined) return [{ at: call.at, message: `index ${used} out of range` }]
    used++
    const clause = clauses[verb]
    if (clause === undefined) return [{ at: call.at, message: `could not parse formatting clause: unrecognized formatting clause "${verb}"` }]
    const type = checked.types.get(argument.id) ?? errorType
    if (type.kind === 'dyn' || clause.kinds.includes(type.kind)) continue
    return [{ at: argument.at, message: `error during formatting: ${clause.refusal}, was given ${runtimeTypeName(type)}` }]
  }
  if (list.elements.length <= used) return []
  return [{ at: call.at, message: `too many arguments supplied to string.format (expected ${used}, got ${list.elements.length})` }]
}
