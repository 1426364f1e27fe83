/** Why the cluster DNS refuses to start or cannot answer; the reason is what a caller can act on. */
export type DnsErrorReason =
  /** An option or flag is wrong; the message names it. */
  | 'InvalidOption'
  /** A listen address or port could not be bound. */
  | 'ListenFailed'
  /** Bytes that are no DNS message. */
  | 'MalformedMessage'
  /** No upstream server answered in time. */
  | 'UpstreamFailed'

/** The one error class of this package. */
export class DnsError extends Error {
  readonly reason: DnsErrorReason

  constructor(reason: DnsErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DnsError'
    this.reason = reason
  }
}
