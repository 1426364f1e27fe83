import type { Status } from '@berth/api/types/meta/v1'

/** Why there was no HTTP answer, or why it broke off. */
export type TransportFailure = 'unreachable' | 'broken' | 'aborted' | 'closed' | 'timeout'

/** A request that got no (whole) answer. `cause` is the system's error. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly reason: TransportFailure

  constructor(reason: TransportFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** The API server's refusal: its Status, with the HTTP code. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: number
  /** Upstream's machine-readable reason, such as `NotFound`; empty where the server gave none. */
  readonly reason: string
  readonly status: Status
  readonly retryAfterSeconds?: number

  constructor(code: number, status: Status, retryAfterSeconds?: number) {
    super(status.message ?? `the server responded with the status code ${code}`)
    this.code = code
    this.reason = status.reason ?? ''
    this.status = status
    const seconds = retryAfterSeconds ?? status.details?.retryAfterSeconds
    if (seconds !== undefined) this.retryAfterSeconds = seconds
  }
}

function hasReason(error: unknown, code: number, ...reasons: string[]): error is ApiError {
  return error instanceof ApiError && (reasons.includes(error.reason) || (error.code === code && error.reason === ''))
}

export function isNotFound(error: unknown): error is ApiError {
  return hasReason(error, 404, 'NotFound')
}

export function isConflict(error: unknown): error is ApiError {
  return hasReason(error, 409, 'Conflict')
}

export function isAlreadyExists(error: unknown): error is ApiError {
  return hasReason(error, 409, 'AlreadyExists')
}

export function isForbidden(error: unknown): error is ApiError {
  return hasReason(error, 403, 'Forbidden')
}

export function isUnauthorized(error: unknown): error is ApiError {
  return hasReason(error, 401, 'Unauthorized')
}

/** The resource version is too old (`Expired`) or the thing is gone: list again. */
export function isGone(error: unknown): error is ApiError {
  return hasReason(error, 410, 'Gone', 'Expired')
}

export function isInvalid(error: unknown): error is ApiError {
  return hasReason(error, 422, 'Invalid')
}

export function isTooManyRequests(error: unknown): error is ApiError {
  return hasReason(error, 429, 'TooManyRequests')
}

/** Whether the same request may succeed later without anybody changing anything: no answer, overload, a server that is starting or stopping. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TransportError) return error.reason !== 'aborted' && error.reason !== 'closed'
  return error instanceof ApiError && (error.code === 429 || error.code >= 500)
}

/** A refusal that no {@link ApiError} can express: a wrong call of this library. The message says which argument. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
