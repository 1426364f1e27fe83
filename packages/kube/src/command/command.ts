import type { Logger } from '../logging/logger.ts'

export type FlagType = 'string' | 'boolean' | 'number' | 'duration' | 'string[]'

/** A flag. Durations are written as Go writes them (`1m30s`), as default and on the command line; their value is in milliseconds. */
export interface FlagSpec {
  readonly type: FlagType
  readonly description: string
  readonly default?: string | boolean | number | readonly string[]
  /** One letter. */
  readonly short?: string
  /** The heading that `--help` lists it under. */
  readonly group?: string
  readonly hidden?: boolean
}

export type FlagSpecs = Readonly<Record<string, FlagSpec>>

type ScalarOf<S extends FlagSpec> = S['type'] extends 'boolean' ? boolean
  : S['type'] extends 'number' | 'duration' ? number
    : S['type'] extends 'string[]' ? string[]
      : string

/** A flag's value: never undefined for booleans, lists and flags with a default. */
export type FlagValue<S extends FlagSpec> = S['type'] extends 'boolean' | 'string[]' ? ScalarOf<S>
  : S extends { readonly default: string | boolean | number | readonly string[] } ? ScalarOf<S> : ScalarOf<S> | undefined

export type FlagValues<F extends FlagSpecs> = { readonly [K in keyof F]: FlagValue<F[K]> }

/** The process as a command sees it. */
export interface CommandIo {
  stdin: NodeJS.ReadableStream
  stdout: { write(text: string | Uint8Array): unknown; readonly isTTY?: boolean; readonly columns?: number }
  stderr: { write(text: string | Uint8Array): unknown; readonly isTTY?: boolean; readonly columns?: number }
  env: Record<string, string | undefined>
  /** Aborts at SIGINT or SIGTERM; a second signal ends the process at once with status 1, as upstream's components do. */
  signal: AbortSignal
  /** What `-v` said; 0 without it. */
  verbosity: number
  /** Named after the command, with `-v` and `--logging-format` applied. */
  logger: Logger
  /** Flags that were given on the command line (to tell a default from a wish). */
  given: ReadonlySet<string>
}

export interface CommandSpec<F extends FlagSpecs> {
  /** As typed: `berth controllers`. */
  name: string
  /** One sentence, for lists of commands. */
  summary: string
  /** Longer text for `--help`; the summary when absent. */
  description?: string
  /** What follows the flags in the usage line, such as `[flags] NAME`; positional arguments are refused when it is absent. */
  positionals?: string
  flags: F
  run(flags: FlagValues<F>, positionals: string[], io: CommandIo): Promise<number>
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** Parses and runs; gives the exit status. */
  execute(argv: readonly string[], io: CommandIoOptions): Promise<number>
  /** The text of `--help`. */
  help(): string
}

/** What a caller may replace of the process (tests, embedding). */
export type CommandIoOptions = Partial<Omit<CommandIo, 'verbosity' | 'logger' | 'given'>>
