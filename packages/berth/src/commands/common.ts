import { CommandError, defineCommand, type Command, type CommandSpec, type FlagSpecs } from '@berth/kube'
import { MachineError } from '../errors.ts'
import { defaultDataDir } from '../instance/layout.ts'

/** The flag that every command about an instance has. */
export const dataDirFlag = {
  'data-dir': { type: 'string', description: 'Where this cluster keeps its data. Another directory is another cluster.', default: defaultDataDir },
} as const

/** The flag of commands that print data. */
export const outputFlag = {
  output: { type: 'string', short: 'o', description: 'Output format: text or json.', default: 'text' },
} as const

/** Checks -o: `text` and `json` are all there is. */
export function isJson(output: string): boolean {
  if (output === 'json') return true
  if (output === 'text') return false
  throw new RangeError(`--output: ${JSON.stringify(output)} is not a format; allowed: text, json`)
}

/** Namespaces, links, mounts and containers need root. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) throw new MachineError('this needs root: it makes network namespaces, mounts and containers')
}

/** A command that a person types: what goes wrong is one plain line, `Error: …`, and status 1; with -v 4 the stack follows. */
export function personCommand<const F extends FlagSpecs>(spec: CommandSpec<F>): Command {
  return defineCommand({
    ...spec,
    async run(flags, positionals, io) {
      try {
        return await spec.run(flags, positionals, io)
      } catch (error) {
        const text = io.verbosity >= 4 && error instanceof Error ? error.stack ?? error.message : error instanceof Error ? error.message : String(error)
        throw new CommandError(text, 1, { cause: error })
      }
    },
  })
}
