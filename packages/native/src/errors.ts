/** The program could not be built, found or started, or it reported a failure. `exitCode` and `errno` are set where it ran. */
export class NativeError extends Error {
  override readonly name = 'NativeError'
  readonly exitCode: number | undefined
  /** The kernel's error number, for a failed network action. */
  readonly errno: number | undefined

  constructor(message: string, options: { cause?: unknown; exitCode?: number; errno?: number } = {}) {
    super(message, { cause: options.cause })
    this.exitCode = options.exitCode
    this.errno = options.errno
  }
}
