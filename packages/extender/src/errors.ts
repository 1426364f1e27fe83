/** The configuration is wrong; the message begins with the path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** A request cannot be read, or asks for what is not there; the message is for who sent it. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: 400 | 404 | 405 | 413

  constructor(status: 400 | 404 | 405 | 413, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** There is no answer, though the request is well formed: too late, too much to do, or the cluster is not known yet. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  readonly reason: 'deadline' | 'overload' | 'not-synced'

  constructor(reason: 'deadline' | 'overload' | 'not-synced', message: string) {
    super(message)
    this.reason = reason
  }
}
