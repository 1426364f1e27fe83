import { setMaxListeners } from 'node:events'
import { createLogger } from '../logging/create-logger.ts'
import { kubernetesVersion } from '../version.ts'
import type { Command, CommandIo, CommandIoOptions, CommandSpec, FlagSpecs, FlagValues } from './command.ts'
import { helpText } from './help.ts'
import { FlagError, parseFlags } from './parse-flags.ts'

/** Flags that every command has. */
const globalFlags = {
  help: { type: 'boolean', short: 'h', description: 'help for this command', group: 'Global' },
  v: { type: 'number', short: 'v', description: 'number for the log level verbosity', group: 'Global' },
  'logging-format': { type: 'string', default: 'text', description: 'Sets the log format. Permitted formats: "json", "text".', group: 'Global' },
  version: { type: 'boolean', description: 'print version information and quit', group: 'Global' },
} as const satisfies FlagSpecs

/** Ends a command with a plain message and a status, where a log line would be out of place. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number

  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/**
 * Declares a command. A wrong command line ends with status 1 and upstream's message on standard error; what `run` throws is logged as
 * `command failed` with status 1 ({@link CommandError}: its own message and status).
 */
export function defineCommand<const F extends FlagSpecs>(spec: CommandSpec<F>): Command {
  const flags: FlagSpecs = { ...globalFlags, ...spec.flags }
  const help = (): string => helpText({ name: spec.name, description: spec.description ?? spec.summary, ...(spec.positionals === undefined ? {} : { positionals: spec.positionals }) }, flags)

  const execute = async (argv: readonly string[], io: CommandIoOptions): Promise<number> => {
    const stdout = io.stdout ?? process.stdout
    const stderr = io.stderr ?? process.stderr
    let parsed
    try {
      parsed = parseFlags(flags, argv)
      if (!['text', 'json'].includes(String(parsed.values['logging-format']))) {
        throw new FlagError(`invalid argument ${JSON.stringify(parsed.values['logging-format'])} for "--logging-format" flag: unsupported log format`)
      }
      const asked = parsed.values['help'] === true || parsed.values['version'] === true
      if (!asked && spec.positionals === undefined && parsed.positionals.length > 0) {
        throw new FlagError(`${JSON.stringify(spec.name)} does not take any arguments, got [${parsed.positionals.map((p) => JSON.stringify(p)).join(' ')}]`)
      }
    } catch (error) {
      if (!(error instanceof FlagError)) throw error
      stderr.write(`Error: ${error.message}\nSee '${spec.name} --help' for usage.\n`)
      return 1
    }
    if (parsed.values['help'] === true) {
      stdout.write(help())
      return 0
    }
    if (parsed.values['version'] === true) {
      stdout.write(`Kubernetes ${kubernetesVersion}\n`)
      return 0
    }
    const verbosity = Number(parsed.values['v'] ?? 0)
    const format = parsed.values['logging-format'] === 'json' ? 'json' : 'text'
    const logger = createLogger({ name: spec.name, verbosity, format, write: (line) => { stderr.write(line) } })
    const stopping = io.signal === undefined ? signalsAbort() : undefined
    const whole: CommandIo = {
      stdin: io.stdin ?? process.stdin, stdout, stderr, env: io.env ?? process.env, given: parsed.given, verbosity, logger,
      signal: io.signal ?? (stopping?.signal as AbortSignal),
    }
    try {
      return await spec.run(parsed.values as unknown as FlagValues<F>, parsed.positionals, whole)
    } catch (error) {
      if (error instanceof CommandError) {
        stderr.write(`Error: ${error.message}\n`)
        return error.exitCode
      }
      logger.error(error, 'command failed', verbosity >= 4 && error instanceof Error ? { stack: error.stack } : undefined)
      return 1
    } finally {
      stopping?.release()
    }
  }
  return { name: spec.name, summary: spec.summary, execute, help }
}

/** Runs a command with the process's streams and signals unless `io` says otherwise; gives the exit status. */
export function runCommand(command: Command, argv: readonly string[], io: CommandIoOptions = {}): Promise<number> {
  return command.execute(argv, io)
}

/** A signal that aborts at the first SIGINT or SIGTERM; the second ends the process. */
function signalsAbort(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(1)
    controller.abort(new Error('signal'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', stop)
      process.off('SIGTERM', stop)
    },
  }
}
