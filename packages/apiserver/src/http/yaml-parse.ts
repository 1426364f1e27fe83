// YAML 1.1 as sigs.k8s.io/yaml reads it: into what JSON has.
import type * as Yaml from 'yaml'
import type { Json } from '@berth/api'

/** As deep as JSON may be. */
const maxDepth = 1000

/** The value of a text's first document. Throws SyntaxError where it is no YAML, nests too deeply or repeats itself too often. */
export function parseYamlText({ parseDocument }: typeof Yaml, text: string): Json {
  try {
    const document = parseDocument(text, { intAsBigInt: false, merge: true, uniqueKeys: false, version: '1.1', schema: 'yaml-1.1', prettyErrors: false })
    const problem = document.errors[0]
    if (problem) throw problem.message.includes('call stack') ? new RangeError(problem.message) : new SyntaxError(`yaml: ${problem.message}`)
    return toJson(document.toJS({ maxAliasCount: 100 }) as unknown, 0)
  } catch (error) {
    if (error instanceof SyntaxError) throw error
    // The stack's end, or the library's refusal of too many aliases.
    throw new SyntaxError(error instanceof RangeError ? 'yaml: exceeded max depth' : `yaml: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** YAML's dates and the like as JSON has them. */
function toJson(value: unknown, depth: number): Json {
  if (depth > maxDepth) throw new SyntaxError('yaml: exceeded max depth')
  if (value === undefined || value === null) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString().replace('.000Z', 'Z')
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1))
  if (typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toJson(v, depth + 1)]))
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? value : String(value)
}
