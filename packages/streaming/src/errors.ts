/** A peer broke the protocol, went over a limit, or the connection was lost. */
export class StreamingError extends Error {
  override readonly name = 'StreamingError'
}

/** A request that cannot be upgraded; `status` is the HTTP status it is answered with. */
export class UpgradeError extends Error {
  override readonly name = 'UpgradeError'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}
