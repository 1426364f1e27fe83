import { CelEvaluationError } from '../errors.ts'
import { readsFirst, sizeOf, traversal, treeCost } from './cost.ts'
import { formatString } from './format-string.ts'
import { overload } from './overload.ts'
import { listOf } from '../values/containers.ts'
import type { CelList } from '../values/containers.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

function charAt(text: string, index: bigint): string {
  const characters = [...text]
  if (index < 0n || index > BigInt(characters.length)) throw new CelEvaluationError(`index out of range: ${index}`)
  return characters[Number(index)] ?? ''
}

function indexOf(text: string, part: string, from: bigint): bigint {
  if (part === '') return from
  const characters = [...text]
  const wanted = [...part]
  if (from < 0n || from > BigInt(characters.length)) throw new CelEvaluationError(`index out of range: ${from}`)
  for (let at = Number(from); at + wanted.length <= characters.length; at++) {
    if (wanted.every((character, offset) => characters[at + offset] === character)) return BigInt(at)
  }
  return -1n
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const characters = [...text]
  const wanted = [...part]
  if (part === '') return from ?? BigInt(characters.length)
  if (characters.length < wanted.length) return -1n
  if (from !== undefined && (from < 0n || from > BigInt(characters.length))) throw new CelEvaluationError(`index out of range: ${from}`)
  for (let at = Math.min(from === undefined ? characters.length : Number(from), characters.length - wanted.length); at >= 0; at--) {
    if (wanted.every((character, offset) => characters[at + offset] === character)) return BigInt(at)
  }
  return -1n
}

function substring(text: string, start: bigint, end: bigint | undefined): string {
  const characters = [...text]
  const size = BigInt(characters.length)
  if (end !== undefined && start > end) throw new CelEvaluationError(`invalid substring range. start: ${start}, end: ${end}`)
  if (start < 0n || start > size) throw new CelEvaluationError(`index out of range: ${start}`)
  if (end !== undefined && (end < 0n || end > size)) throw new CelEvaluationError(`index out of range: ${end}`)
  return characters.slice(Number(start), end === undefined ? undefined : Number(end)).join('')
}

function replace(text: string, from: string, to: string, count: bigint): string {
  if (count === 0n) return text
  if (from === '') {
    const characters = [...text]
    const limit = count < 0n ? characters.length + 1 : Number(count)
    return [...characters, ''].map((character, index) => (index < limit ? to : '') + character).join('')
  }
  const parts = text.split(from)
  if (count < 0n || BigInt(parts.length - 1) <= count) return parts.join(to)
  return parts.slice(0, Number(count) + 1).join(to) + from + parts.slice(Number(count) + 1).join(from)
}

function split(text: string, separator: string, limit: bigint): Value {
  if (limit === 0n) return listOf([])
  const parts = separator === '' ? [...text] : text.split(separator)
  if (limit < 0n || BigInt(parts.length) <= limit) return listOf(parts)
  return listOf([...parts.slice(0, Number(limit) - 1), parts.slice(Number(limit) - 1).join(separator)])
}

function join(list: CelList, separator: string): string {
  const parts: string[] = []
  for (const item of list) {
    if (typeof item !== 'string') throw new CelEvaluationError('join: invalid input: elements must be strings')
    parts.push(item)
  }
  return parts.join(separator)
}

/** What Go's strings.TrimSpace takes off; JavaScript's trim takes U+FEFF too, and not U+0085. */
function trim(text: string): string {
  return text.replace(/^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g, '')
}

const escapes: Readonly<Record<string, string>> = { '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\', '"': '\\"' }

function quote(text: string): string {
  return `"${[...text].map(character => escapes[character] ?? character).join('')}"`
}

const twice = readsFirst(2)
const visits = (args: readonly Value[]): number => treeCost(args[0])
const joinCost = (_: readonly Value[], result: Value): number => Math.ceil(sizeOf(result) * 2 * 0.1)
const contained = (args: readonly Value[]): number => traversal(sizeOf(args[0])) * traversal(sizeOf(args[1]))

/** The string functions of the language, and version 2 of the strings extension. */
export const strings: readonly Overload[] = [
  overload('string->contains(string): bool', (text: string, part: string) => text.includes(part), contained),
  overload('string->endsWith(string): bool', (text: string, part: string) => text.endsWith(part), readsFirst()),
  overload('string->startsWith(string): bool', (text: string, part: string) => text.startsWith(part), readsFirst()),
  overload('string->charAt(int): string', charAt),
  overload('string->indexOf(string): int', (text: string, part: string) => indexOf(text, part, 0n), visits),
  overload('string->indexOf(string, int): int', indexOf, visits),
  overload('string->lastIndexOf(string): int', (text: string, part: string) => lastIndexOf(text, part), visits),
  overload('string->lastIndexOf(string, int): int', lastIndexOf, visits),
  overload('string->lowerAscii(): string', (text: string) => text.replace(/[A-Z]+/g, part => part.toLowerCase()), readsFirst()),
  overload('string->upperAscii(): string', (text: string) => text.replace(/[a-z]+/g, part => part.toUpperCase()), readsFirst()),
  overload('string->replace(string, string): string', (text: string, from: string, to: string) => replace(text, from, to, -1n), twice),
  overload('string->replace(string, string, int): string', replace, twice),
  overload('string->split(string): list(string)', (text: string, separator: string) => split(text, separator, -1n), twice),
  overload('string->split(string, int): list(string)', split, twice),
  overload('string->substring(int): string', (text: string, start: bigint) => substring(text, start, undefined), readsFirst()),
  overload('string->substring(int, int): string', substring, readsFirst()),
  overload('string->trim(): string', trim, readsFirst()),
  overload('list(string)->join(): string', (list: CelList) => join(list, ''), joinCost),
  overload('list(string)->join(string): string', join, joinCost),
  overload('strings.quote(string): string', quote, readsFirst()),
  overload('string->format(list(dyn)): string', formatString, readsFirst()),
]
