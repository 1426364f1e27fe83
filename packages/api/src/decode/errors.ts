/** An object that does not fit its type. The message is what a stock API server says after `X in version "v1" cannot be handled as a X: `. */
export class DecodeError extends Error {
  /** What strict decoding found, where that is the reason; empty for a wrong type. */
  readonly problems: readonly string[]

  constructor(message: string, problems: readonly string[] = []) {
    super(message)
    this.name = 'DecodeError'
    this.problems = problems
  }
}
