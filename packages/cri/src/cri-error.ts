import { Metadata, status } from '@grpc/grpc-js'

/** gRPC's status codes by the names that gRPC gives them in Go, which are the ones a kubelet's logs show. */
const codes = {
  Canceled: status.CANCELLED,
  Unknown: status.UNKNOWN,
  InvalidArgument: status.INVALID_ARGUMENT,
  DeadlineExceeded: status.DEADLINE_EXCEEDED,
  NotFound: status.NOT_FOUND,
  AlreadyExists: status.ALREADY_EXISTS,
  PermissionDenied: status.PERMISSION_DENIED,
  ResourceExhausted: status.RESOURCE_EXHAUSTED,
  FailedPrecondition: status.FAILED_PRECONDITION,
  Aborted: status.ABORTED,
  OutOfRange: status.OUT_OF_RANGE,
  Unimplemented: status.UNIMPLEMENTED,
  Internal: status.INTERNAL,
  Unavailable: status.UNAVAILABLE,
  DataLoss: status.DATA_LOSS,
  Unauthenticated: status.UNAUTHENTICATED,
} as const

export type CriErrorCode = keyof typeof codes

const names = new Map<number, CriErrorCode>(Object.entries(codes).map(([name, code]) => [code, name as CriErrorCode]))

/**
 * A CRI call that failed, on either side: an implementation throws it to choose the gRPC status, a client gets it from every failed call.
 * `message` is the status's description alone; a kubelet decides by `code` (NotFound on removal is success, DeadlineExceeded is retried ...).
 */
export class CriError extends Error {
  override readonly name = 'CriError'
  readonly code: CriErrorCode

  constructor(code: CriErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Whether this is a CriError of one of these codes. */
export function isCriError(error: unknown, ...of: CriErrorCode[]): error is CriError {
  return error instanceof CriError && (of.length === 0 || of.includes(error.code))
}

/** What gRPC sends for an error thrown by an implementation: a CriError as it is, anything else as Unknown with its message. */
export function statusOf(error: unknown): { code: status; details: string; metadata: Metadata } {
  const code = error instanceof CriError ? codes[error.code] : status.UNKNOWN
  const details = error instanceof Error ? error.message : String(error)
  return { code, details, metadata: new Metadata() }
}

/** The CriError for what grpc-js gives to a failed call. */
export function criErrorOf(error: unknown): CriError {
  if (error instanceof CriError) return error
  const { code, details } = error as { code?: unknown; details?: unknown }
  const name = typeof code === 'number' ? names.get(code) : undefined
  const text = typeof details === 'string' && details !== '' ? details : error instanceof Error ? error.message : String(error)
  return new CriError(name ?? 'Unknown', text, { cause: error })
}
