import { CelEvaluationError } from '../errors.ts'
import { formatDouble } from './format-double.ts'
import { CelList, CelMap } from '../values/containers.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import { Uint } from '../values/scalars.ts'
import { Duration, Timestamp } from '../values/time.ts'
import { TypeValue } from '../values/value.ts'
import type { Value } from '../values/value.ts'

/** `"%s has %d".format([...])`: the clauses s, d, f, e, b, x, X and o with an optional precision. */
export function formatString(format: string, args: CelList): string {
  let out = ''
  let used = 0
  for (let at = 0; at < format.length; at++) {
    if (format[at] !== '%') {
      out += format[at]
      continue
    }
    at++
    if (at >= format.length) throw new CelEvaluationError('unexpected end of string')
    if (format[at] === '%') {
      out += '%'
      continue
    }
    if (used >= args.size) throw new CelEvaluationError(`index ${used} out of range`)
    const precision = /^\.(\d*)/.exec(format.slice(at))
    if (precision !== null) at += precision[0].length
    if (at >= format.length) throw new CelEvaluationError('could not parse formatting clause: unexpected end of string')
    out += clause(format[at] ?? '', args.at(used++), precision?.[1] === undefined || precision[1] === '' ? undefined : Number(precision[1]))
  }
  return out
}

function clause(verb: string, value: Value, precision: number | undefined): string {
  switch (verb) {
    case 's': return text(value)
    case 'd': return decimal(value)
    case 'f': return fixed(value, precision ?? 6)
    case 'e': return scientific(value)
    case 'b': return typeof value === 'boolean' ? (value ? '1' : '0') : integer(value, 2, 'only integers and bools can be formatted as binary')
    case 'o': return integer(value, 8, 'octal clause can only be used on integers')
    case 'x': return hexadecimal(value)
    case 'X': return hexadecimal(value).toUpperCase()
    default: throw new CelEvaluationError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
}

function text(value: Value): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return plainDouble(value)
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Uint) return value.value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (value instanceof Timestamp || value instanceof Duration) return value.toString()
  if (value instanceof TypeValue) return value.name
  if (value instanceof CelList) return `[${[...value].map(nested).join(', ')}]`
  if (value instanceof CelMap) {
    const entries = [...value.entries()].map(([key, item]): [string, string] => [nested(key), nested(item)])
    return `{${entries.sort(([a], [b]) => a < b ? -1 : 1).map(entry => entry.join(':')).join(', ')}}`
  }
  throw new CelEvaluationError(`error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeNameOf(value)}`)
}

// Inside of a list or map a value is written as its literal.
function nested(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `b${JSON.stringify(text(value))}`
  if (value instanceof Duration) return `duration("${value}")`
  if (value instanceof Timestamp) return `timestamp("${value}")`
  if (typeof value === 'number') return Number.isFinite(value) ? value.toFixed(6) : `"${plainDouble(value)}"`
  return text(value)
}

function plainDouble(value: number): string {
  if (Number.isFinite(value)) return formatDouble(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}

function decimal(value: Value): string {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint) return value.value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return plainDouble(value)
  throw new CelEvaluationError(`error during formatting: decimal clause can only be used on integers, was given ${typeNameOf(value)}`)
}

function asDouble(value: Value, clause: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  throw new CelEvaluationError(`error during formatting: ${clause} clause can only be used on doubles, was given ${typeNameOf(value)}`)
}

function fixed(value: Value, precision: number): string {
  const number = asDouble(value, 'fixed-point')
  if (!Number.isFinite(number)) return localDouble(number)
  // The number printer of upstream's library groups digits as English does.
  const [whole = '', fraction] = number.toFixed(precision).split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction === undefined ? '' : `.${fraction}`)
}

function localDouble(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞'
}

function scientific(value: Value): string {
  const number = asDouble(value, 'scientific')
  if (!Number.isFinite(number)) return localDouble(number)
  // That printer writes six digits whatever precision the clause asks for.
  const [digits = '', exponent = ''] = number.toExponential(6).split('e')
  const raised = exponent.slice(1).padStart(2, '0').replace(/\d/g, digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '')
  return `${digits}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`
}

function integer(value: Value, base: number, refusal: string): string {
  if (typeof value === 'bigint') return value.toString(base)
  if (value instanceof Uint) return value.value.toString(base)
  throw new CelEvaluationError(`error during formatting: ${refusal}, was given ${typeNameOf(value)}`)
}

function hexadecimal(value: Value): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return integer(value, 16, 'only integers, byte buffers, and strings can be formatted as hex')
}
