import type { FlagSpec, FlagSpecs } from './command.ts'
import { formatDuration, parseDuration } from './duration.ts'

/** The text of `--help`, laid out as upstream's components do: description, usage, flags by group. */
export function helpText(command: { name: string; description: string; positionals?: string }, flags: FlagSpecs): string {
  const groups = new Map<string, [string, FlagSpec][]>()
  for (const entry of Object.entries(flags)) {
    if (entry[1].hidden === true) continue
    const group = entry[1].group ?? ''
    groups.set(group, [...(groups.get(group) ?? []), entry])
  }
  const sections = [...groups].sort(([a], [b]) => Number(a === 'Global') - Number(b === 'Global')).map(([group, entries]) => {
    const heading = group === '' ? 'Flags' : `${group} flags`
    return `${heading}:\n\n${flagLines(entries)}`
  })
  const usage = ['[flags]', command.positionals].filter((t) => t !== undefined && t !== '').join(' ')
  return `${command.description}\n\nUsage:\n  ${command.name} ${usage}\n\n${sections.join('\n\n')}\n`
}

function flagLines(entries: [string, FlagSpec][]): string {
  const rows = entries.sort(([a], [b]) => a < b ? -1 : 1).map(([name, spec]) => {
    const short = spec.short === undefined ? '      ' : `  -${spec.short}, `
    return { left: `${short}--${name}${typeWord(spec)}`, right: `${spec.description}${defaultText(spec)}` }
  })
  const width = Math.max(...rows.map((row) => row.left.length)) + 3
  return rows.map((row) => `${row.left.padEnd(width)}${row.right}`).join('\n')
}

function typeWord(spec: FlagSpec): string {
  switch (spec.type) {
    case 'boolean': return ''
    case 'number': return ' int'
    case 'string[]': return ' strings'
    case 'duration': return ' duration'
    case 'string': return ' string'
  }
}

function defaultText(spec: FlagSpec): string {
  const value = spec.default
  if (value === undefined || value === '' || value === false || value === 0) return ''
  if (Array.isArray(value)) return value.length === 0 ? '' : ` (default [${value.join(',')}])`
  if (spec.type === 'duration') return ` (default ${formatDuration(typeof value === 'number' ? value : parseDuration(String(value)))})`
  return spec.type === 'string' ? ` (default ${JSON.stringify(value)})` : ` (default ${String(value)})`
}
