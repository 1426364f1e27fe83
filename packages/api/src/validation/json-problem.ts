import { JsonSyntaxError, parseJson } from '../json/index.ts'

/** What Go's encoding/json says of a text that should be a JSON object; undefined if it is one, or null. */
export function goJsonProblem(text: string): string | undefined {
  let value: unknown
  try {
    ({ value } = parseJson(Buffer.from(text)))
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error.message
    throw error
  }
  if (typeof value === 'object' && !Array.isArray(value)) return undefined
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number'
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
}
