/** Error codes that the CNI specification reserves, by what they mean. */
export const cniErrorCodes = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  pluginNotAvailable: 50,
  limitedConnectivity: 51,
  internal: 999,
} as const

/** A CNI operation that failed: by a plugin's own answer (its code, message and details), or before or around it. */
export class CniError extends Error {
  override readonly name = 'CniError'
  /** The specification's code, or 100 and up: the plugin's own. */
  readonly code: number
  readonly details: string

  constructor(code: number, message: string, details = '', options?: ErrorOptions) {
    super(details === '' ? message : `${message}; ${details}`, options)
    this.code = code
    this.details = details
  }
}
