/** What went wrong with an extender, for the metric; the message is worded as upstream words it. */
export type ExtenderFault = 'unreachable' | 'timeout' | 'status' | 'malformed' | 'unknown-node' | 'unknown-victim' | 'no-victims' | 'refused'

/** An extender did not answer, or not as it must. */
export class ExtenderError extends Error {
  override readonly name = 'ExtenderError'
  readonly fault: ExtenderFault

  constructor(fault: ExtenderFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}
