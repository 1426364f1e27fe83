import { CniError, CriError, type CriErrorCode } from '@berth/cri'

interface DockerodeError {
  statusCode?: unknown
  json?: { message?: unknown } | null
  reason?: unknown
  code?: unknown
}

/** What the Engine said, without the client library's wrapping. */
export function engineMessage(error: unknown): string {
  const { json } = error as DockerodeError
  if (typeof json?.message === 'string') return json.message.trim()
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()
}

/** The HTTP status of the Engine's answer, or undefined where it did not answer. */
export function engineStatus(error: unknown): number | undefined {
  const { statusCode } = error as DockerodeError
  return typeof statusCode === 'number' ? statusCode : undefined
}

/** Whether the Engine could not be reached or was lost in mid-answer. */
export function isEngineLost(error: unknown): boolean {
  const { code } = error as DockerodeError
  return engineStatus(error) === undefined && typeof code === 'string' && ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'ERR_SOCKET_CLOSED'].includes(code)
}

const codes: Record<number, CriErrorCode> = { 400: 'InvalidArgument', 401: 'Unauthenticated', 403: 'PermissionDenied', 404: 'NotFound', 409: 'FailedPrecondition', 501: 'Unimplemented', 503: 'Unavailable' }

/** The CriError for whatever failed: what is one already stays, the Engine's statuses become gRPC's, a lost Engine is Unavailable. */
export function toCriError(error: unknown, what: string): CriError {
  if (error instanceof CriError) return error
  if (error instanceof CniError) return new CriError('Unknown', `${what}: ${error.message}`, { cause: error })
  if (isEngineLost(error)) return new CriError('Unavailable', `${what}: cannot connect to the Docker daemon: ${engineMessage(error)}`, { cause: error })
  const code = codes[engineStatus(error) ?? 0] ?? 'Unknown'
  return new CriError(code, `${what}: ${engineMessage(error)}`, { cause: error })
}

/** Runs something and gives its failure as a CriError that says what was tried. */
export async function attempt<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw toCriError(error, what)
  }
}

/** Ignores the Engine's answers that mean "it is so already": not found, or not modified. */
export async function tolerate(statuses: readonly number[], run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!statuses.includes(engineStatus(error) ?? 0)) throw error
  }
}
