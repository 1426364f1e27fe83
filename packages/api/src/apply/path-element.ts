/**
 * A step of a path to a field, in the form in which FieldsV1 writes it: `f:name`, `k:{"name":"a"}` (list item by its keys), `v:"x"` (item of a set),
 * `i:0` (item of a list without keys). The text itself is the identity, so keys are sorted and JSON is canonical.
 */
import { parseJson } from '../json/parse.ts'
import { stringifyJson } from '../json/stringify.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import { isObject } from '../decode/values.ts'

export type PathElement = string

export const fieldElement = (name: string): PathElement => `f:${name}`
export const valueElement = (value: Json): PathElement => `v:${stringifyJson(value)}`

export function keyElement(keys: JsonObject): PathElement {
  const sorted: JsonObject = {}
  for (const name of Object.keys(keys).sort()) sorted[name] = keys[name] ?? null
  return `k:${stringifyJson(sorted)}`
}

/** The canonical form of an element as a client sent it; undefined for what is none. */
export function readElement(text: string): PathElement | undefined {
  const rest = text.slice(2)
  try {
    if (text.startsWith('f:')) return text
    if (text.startsWith('v:')) return valueElement(parseJson(rest).value)
    if (text.startsWith('i:')) return /^\d+$/.test(rest) ? text : undefined
    if (text.startsWith('k:')) {
      const keys = parseJson(rest).value
      return isObject(keys) ? keyElement(keys) : undefined
    }
  } catch {
    // What cannot be read is reported by the caller as a whole.
  }
  return undefined
}

/** `.name`, `[name="a"]`, `[="x"]`, `[0]`: how messages print an element. */
export function printElement(element: PathElement): string {
  const rest = element.slice(2)
  switch (element[0]) {
    case 'f': return `.${rest}`
    case 'k': return `[${Object.entries(parseJson(rest).value as JsonObject).map(([name, value]) => `${name}=${stringifyJson(value)}`).join(',')}]`
    case 'v': return `[=${rest}]`
    default: return `[${rest}]`
  }
}

export function printPath(path: readonly PathElement[]): string {
  return path.map(printElement).join('')
}

const rank: Record<string, number> = { f: 0, k: 1, v: 2, i: 3 }

/** The order in which sets are written and conflicts are listed. */
export function compareElements(a: PathElement, b: PathElement): number {
  // Nearly all are fields.
  if (a.charCodeAt(0) === 0x66 && b.charCodeAt(0) === 0x66) return a < b ? -1 : a > b ? 1 : 0
  const kinds = (rank[a.charAt(0)] ?? 4) - (rank[b.charAt(0)] ?? 4)
  if (kinds !== 0) return kinds
  if (a.startsWith('i:')) return Number(a.slice(2)) - Number(b.slice(2))
  return a < b ? -1 : a > b ? 1 : 0
}
