/** Something about the instance: it is not there, or its files cannot be used. */
export class InstanceError extends Error {
  override readonly name = 'InstanceError'
}

/** The machine lacks something, or refused it: no root, no program, no free network. */
export class MachineError extends Error {
  override readonly name = 'MachineError'
}

/** A child program ended with a failure; the message carries what it said. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number | undefined
  readonly stderr: string
  constructor(argv: readonly string[], exitCode: number | undefined, stderr: string, options?: ErrorOptions) {
    super(`${argv.join(' ')}: ${stderr.trim() || `exit code ${exitCode ?? 'unknown'}`}`, options)
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

/** Something did not come up in time; the message says what, and where its log is. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/** Nobody can be asked about placements, or not by us; the message says what to do instead. */
export class ExplainUnavailable extends Error {
  override readonly name = 'ExplainUnavailable'
}
