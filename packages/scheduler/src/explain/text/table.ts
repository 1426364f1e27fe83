/** Columns padded to their widest cell, two spaces apart, as kubectl prints them; each line ends in a line break. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines.map((line) => `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('')
}

/** How long ago, in the two largest units: `2m5s`, `3h12m`. */
export function ago(from: string, now: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(from)) / 1000))
  const parts: [number, string][] = [[Math.floor(seconds / 86_400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'm'], [seconds % 60, 's']]
  const start = parts.findIndex(([amount]) => amount > 0)
  return start < 0 ? '0s' : parts.slice(start, start + 2).filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount}${unit}`).join('')
}

/** `a, b and 3 more`. */
export function few(names: readonly string[], count = names.length, shown = 6): string {
  const rest = count - Math.min(names.length, shown)
  const list = names.slice(0, shown).join(', ')
  return rest > 0 ? `${list}${list === '' ? '' : ' and '}${rest} more` : list
}
