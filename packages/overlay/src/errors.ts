/** What went wrong in a way that somebody can act on. */
export type OverlayErrorReason = 'Config' | 'Exhausted' | 'Kernel' | 'Unsupported'

export class OverlayError extends Error {
  override readonly name = 'OverlayError'
  readonly reason: OverlayErrorReason

  constructor(reason: OverlayErrorReason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** The codes of the CNI specification that this plugin answers with. 100 and above are a plugin's own. */
export const cniCodes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  invalidEnvironment: 4,
  decodeFailure: 6,
  invalidConfig: 7,
  tryAgain: 11,
  notAvailable: 50,
  exhausted: 101,
  kernel: 102,
  hostPortTaken: 103,
  checkFailed: 104,
} as const

/** A CNI error result: printed on stdout by the plugin, exit code 1. */
export class CniFailure extends Error {
  override readonly name = 'CniFailure'
  readonly code: number
  readonly details: string

  constructor(code: number, message: string, details = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }
}
