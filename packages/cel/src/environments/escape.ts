const reserved = new Set([
  'true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace', 'return',
  'var', 'void', 'while',
])

const sequences: Readonly<Record<string, string>> = { '__': '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }

/** The name under which expressions reach a property (`foo-bar` is `foo__dash__bar`), or undefined where they cannot. */
export function escapeName(property: string): string | undefined {
  if (property === '' || /^\d/.test(property)) return undefined
  if (reserved.has(property)) return `__${property}__`
  const escaped = property.replace(/__|[-./]/g, found => sequences[found] ?? found)
  return /^\w+$/.test(escaped) ? escaped : undefined
}
