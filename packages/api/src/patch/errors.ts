/**
 * A patch that cannot be applied. `code`, `reason` and `message` are those of the Status that a stock API server answers with;
 * what exactly is wrong, where upstream hides it, is in `cause`.
 */
export class PatchError extends Error {
  readonly code: 400 | 413 | 422 | 500
  readonly reason: 'BadRequest' | 'RequestEntityTooLarge' | 'Invalid' | ''

  constructor(code: 400 | 413 | 422 | 500, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PatchError'
    this.code = code
    this.reason = reasons[code]
  }
}

/** A `test` of a JSON patch that did not hold. */
export class PatchTestError extends PatchError {
  constructor(path: string) {
    super(422, rejected, new Error(`testing value ${path} failed`))
  }
}

const reasons = { 400: 'BadRequest', 413: 'RequestEntityTooLarge', 422: 'Invalid', 500: '' } as const

const rejected = 'the server rejected our request due to an error in our request'

/** Upstream's answer to a well-formed patch that does not fit the object. */
export function unprocessable(detail: string): PatchError {
  return new PatchError(422, rejected, new Error(detail))
}
