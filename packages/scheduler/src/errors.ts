/** The configuration is wrong, or asks for what is not served; the message begins with the path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** A question that cannot be answered: what it names is not there, or it is no question. */
export class ExplainError extends Error {
  override readonly name = 'ExplainError'
  readonly code: 'NotFound' | 'Invalid'

  constructor(code: 'NotFound' | 'Invalid', message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
