// The API server's errors: all of them are a metav1.Status that the client gets. Built by the functions below, worded as upstream's apierrors.
import type { FieldErrorLike } from './field-errors.ts'
import { causesOf, aggregateMessage } from './field-errors.ts'

/** metav1.Status of a failure. */
export interface FailureStatus {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: Record<string, unknown>
  status: 'Failure'
  message: string
  reason?: string
  details?: StatusDetails
  code: number
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: { reason?: string, message?: string, field?: string }[]
  retryAfterSeconds?: number
}

/** A refusal that is answered to the client as its Status. */
export class StatusError extends Error {
  readonly status: FailureStatus
  /** Extra answer headers, e.g. Retry-After. */
  readonly headers: Record<string, string>

  constructor(code: number, reason: string, message: string, details?: StatusDetails, options?: { cause?: unknown, headers?: Record<string, string> }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'StatusError'
    this.headers = options?.headers ?? {}
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, ...(reason && { reason }), ...(details && { details }), code }
  }

  /** Puts list metadata (a continue token) into the Status. */
  withListMetadata(metadata: Record<string, unknown>): this {
    Object.assign(this.status.metadata, metadata)
    return this
  }

  get code(): number {
    return this.status.code
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** What names a resource in messages: `pods`, `deployments.apps`. */
export interface GroupResource { group: string, resource: string }

export function groupResourceString(gr: GroupResource): string {
  return gr.group === '' ? gr.resource : `${gr.resource}.${gr.group}`
}

function detailsOf(gr: GroupResource, name: string): StatusDetails {
  return { ...(name && { name }), ...(gr.group && { group: gr.group }), ...(gr.resource && { kind: gr.resource }) }
}

/** 404: the object is not there. */
export function notFound(gr: GroupResource, name: string): StatusError {
  return new StatusError(404, 'NotFound', `${groupResourceString(gr)} "${name}" not found`, detailsOf(gr, name))
}

/** 404: nothing is served at this path (upstream's generic answer for a resource path). */
export function pathNotFound(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
}

/** 409: the name is taken. */
export function alreadyExists(gr: GroupResource, name: string): StatusError {
  return new StatusError(409, 'AlreadyExists', `${groupResourceString(gr)} "${name}" already exists`, detailsOf(gr, name))
}

/** 409: somebody else was faster, or a precondition does not hold. */
export function conflict(gr: GroupResource, name: string, why: string): StatusError {
  return new StatusError(409, 'Conflict', `Operation cannot be fulfilled on ${groupResourceString(gr)} "${name}": ${why}`, detailsOf(gr, name))
}

/** What follows `conflict` when a resourceVersion is old. */
export const optimisticLockMessage = 'the object has been modified; please apply your changes to the latest version and try again'

/** 403 of authorization or admission. */
export function forbidden(gr: GroupResource, name: string, why: string): StatusError {
  const head = gr.resource === '' ? 'forbidden' : name === '' ? `${groupResourceString(gr)} is forbidden` : `${groupResourceString(gr)} "${name}" is forbidden`
  return new StatusError(403, 'Forbidden', why === '' ? head : `${head}: ${why}`, detailsOf(gr, name))
}

/** 401: credentials are missing or wrong. */
export function unauthorized(cause?: unknown): StatusError {
  return new StatusError(401, 'Unauthorized', 'Unauthorized', undefined, { cause })
}

/** 422 with upstream's causes. */
export function invalid(groupKind: { group: string, kind: string }, name: string, errors: readonly FieldErrorLike[]): StatusError {
  const gk = groupKind.group === '' ? groupKind.kind : `${groupKind.kind}.${groupKind.group}`
  const message = `${gk} "${name}" is invalid${errors.length > 0 ? `: ${aggregateMessage(errors)}` : ''}`
  return new StatusError(422, 'Invalid', message, {
    ...(name && { name }), ...(groupKind.group && { group: groupKind.group }), ...(groupKind.kind && { kind: groupKind.kind }), ...(errors.length > 0 && { causes: causesOf(errors) }),
  })
}

/** 400. */
export function badRequest(message: string, cause?: unknown): StatusError {
  return new StatusError(400, 'BadRequest', message, undefined, { cause })
}

/** 405: the path has no such method. */
export function methodNotAllowed(): StatusError {
  return new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

/** 406: no media type that the client takes. */
export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`)
}

/** 415: a body in a media type that is not read here. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`)
}

/** 410: the revision or continue token is gone. */
export function resourceExpired(message: string): StatusError {
  return new StatusError(410, 'Expired', message)
}

/** 413. */
export function requestEntityTooLarge(message: string): StatusError {
  return new StatusError(413, 'RequestEntityTooLarge', `Request entity is too large: ${message}`)
}

/** 504: the server would not be in time. */
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: ${message}`, { ...(retryAfterSeconds > 0 && { retryAfterSeconds }) })
}

/** 503. */
export function serviceUnavailable(message: string): StatusError {
  return new StatusError(503, 'ServiceUnavailable', message)
}

/** 500; the cause goes to the log. */
export function internalError(cause: unknown): StatusError {
  const text = cause instanceof Error ? cause.message : String(cause)
  return new StatusError(500, 'InternalError', `Internal error occurred: ${text}`, { causes: [{ message: text }] }, { cause })
}
