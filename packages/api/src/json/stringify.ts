/** Writes a value as JSON; bigints become plain integers, undefined members are left out. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch (cause) {
    // JSON.stringify refuses bigints; they are rare enough for a second, slower pass.
    if (cause instanceof TypeError && !/circular/.test(cause.message)) return write(value)
    throw cause
  }
}

function write(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${value.map((v) => (v === undefined ? 'null' : write(v))).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members: string[] = []
    for (const [key, v] of Object.entries(value)) if (v !== undefined) members.push(`${JSON.stringify(key)}:${write(v)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
