import { runCommand } from '@berth/kube'
import { settleAfterStart } from './boot/settle.ts'
import { overview } from './help.ts'
import { commands } from './registry.ts'

const [name = '', ...rest] = process.argv.slice(2)
const entry = commands[name === '--version' ? 'version' : name]

// A reader that went away (`berth logs server | head`) ends the command quietly, as SIGPIPE would; one that changes the machine goes on to its end.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!entry?.completes) process.exit(0)
  })
}

async function main(): Promise<number> {
  if (['', '--help', '-h', 'help'].includes(name)) {
    process.stdout.write(overview(commands))
    return name === '' ? 2 : 0
  }
  if (entry) {
    settleAfterStart()
    return runCommand(await entry.load(), rest)
  }
  process.stderr.write(`Error: unknown command ${JSON.stringify(name)} for "berth"\nRun 'berth --help' for usage.\n`)
  return 2
}

// What is left at the end (a connection's last timer) must not keep the process; output is written by then, as writes to files, terminals and pipes are synchronous.
process.exit(await main())
