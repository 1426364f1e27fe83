// What upstream says of a strategic merge patch whose result does not fit its kind: it shows the patch as Go prints a map, and converts without JSON.
import type { Json } from '@berth/api'

/** A JSON value as Go's `%+v` prints it, with the keys of maps in order. */
export function goText(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map((each) => goText(each as Json)).join(' ')}]`
  if (typeof value === 'object') return `map[${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => `${key}:${goText(each as Json)}`).join(' ')}]`
  return String(value)
}

const goKinds: Readonly<Record<string, string>> = { object: 'map', array: 'slice', number: 'int64' }

/** The converter's words for what JSON's decoder refuses; others as they are. */
export function conversionProblem(message: string): string {
  const [, word = '', type = ''] = /^json: cannot unmarshal (\w+) into Go (?:struct field \S+|value) of type (.+)$/.exec(message) ?? []
  const kind = goKinds[word] ?? word
  if (type === '') return message
  if (type.startsWith('[]')) return `cannot restore slice from ${kind}`
  if (type.startsWith('map[')) return `cannot restore map from ${kind}`
  if (type.includes('.')) return `cannot restore struct from: ${kind}`
  return kind === 'int64' && type === 'string' ? 'cannot convert int64 to string' : `unrecognized type: ${type}`
}
