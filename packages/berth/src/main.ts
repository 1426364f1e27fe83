import { runCommand } from '@berth/kube'
import { overview } from './help.ts'
import { commands } from './registry.ts'

const [name, ...rest] = process.argv.slice(2)
if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
  process.stdout.write(overview(commands))
  process.exitCode = name === undefined ? 2 : 0
} else {
  const entry = commands[name === '--version' ? 'version' : name]
  if (entry) {
    process.exitCode = await runCommand(await entry.load(), rest)
  } else {
    process.stderr.write(`Error: unknown command ${JSON.stringify(name)} for "berth"\nRun 'berth --help' for usage.\n`)
    process.exitCode = 2
  }
}
