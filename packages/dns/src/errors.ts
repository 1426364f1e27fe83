/** What went wrong in a way that somebody can act on. */
export type DnsErrorReason = 'Config' | 'Listen' | 'Upstream'

export class DnsError extends Error {
  override readonly name = 'DnsError'
  readonly reason: DnsErrorReason

  constructor(reason: DnsErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
