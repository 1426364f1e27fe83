/** One process that the supervisor keeps running. */
export interface ProcessSpec {
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly log: string
  /** Seconds between TERM and KILL; 10 when absent. */
  readonly graceSeconds?: number
}

/** The supervisor's process table (format: packages/native, README). A value cannot hold a newline: that is an error. */
export function processTable(processes: readonly ProcessSpec[]): string {
  const lines: string[] = []
  const add = (key: string, value: string): void => {
    if (/[\n\0]/.test(value)) throw new RangeError(`a process table's value cannot hold a newline: ${JSON.stringify(value)}`)
    lines.push(`${key} ${value}`)
  }
  for (const p of processes) {
    add('process', p.name)
    for (const word of p.argv) add('argv', word)
    for (const [key, value] of Object.entries(p.env)) add('env', `${key}=${value}`)
    add('log', p.log)
    if (p.graceSeconds !== undefined) add('grace', String(p.graceSeconds))
    lines.push('end')
  }
  return `${lines.join('\n')}\n`
}
