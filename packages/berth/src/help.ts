import type { CommandEntry } from './registry.ts'

const headings: Readonly<Record<CommandEntry['group'], string>> = {
  cluster: 'A whole cluster on this machine:',
  part: 'One part, in place of its stock counterpart:',
  internal: 'What the supervisor runs:',
}

/** The text of `berth --help`. */
export function overview(commands: Readonly<Record<string, CommandEntry>>): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const groups = (Object.keys(headings) as Array<CommandEntry['group']>).map((group) => {
    const lines = Object.entries(commands).filter(([, entry]) => entry.group === group).map(([name, entry]) => `  ${name.padEnd(width)}  ${entry.summary}`)
    return `${headings[group]}\n${lines.join('\n')}`
  })
  return `Berth: Kubernetes' node and scheduling plane.\n\nUsage:\n  berth COMMAND [flags]\n\n${groups.join('\n\n')}\n\nUse "berth COMMAND --help" for a command's flags.\n`
}
