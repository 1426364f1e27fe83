/** What went wrong in a way that somebody can act on. */
export type ProxyErrorReason = 'Config' | 'Kernel'

export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly reason: ProxyErrorReason

  constructor(reason: ProxyErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
