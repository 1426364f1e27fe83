/** What Go's encoding/json says of a text that should be a JSON object; undefined if it is one. */
export function goJsonProblem(text: string): string | undefined {
  const bytes = [...text.trimEnd()]
  if (text.trim() === '') return 'unexpected end of JSON input'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const at = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    const position = at === undefined ? bytes.length : Number(at)
    const char = text[position]
    if (char === undefined || position >= text.trimEnd().length) return 'unexpected end of JSON input'
    return `invalid character '${char}' ${text.slice(0, position).trim() === '' ? 'looking for beginning of value' : 'after top-level value'}`
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined
  if (value === null) return undefined
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
}
