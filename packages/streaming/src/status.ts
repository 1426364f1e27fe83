/** The part of a Kubernetes Status that remote command uses. */
export interface ExecStatus {
  metadata: Record<string, never>
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: { causes: { reason?: string; message: string }[] }
  code?: number
}

/** The status of a command that ended: success for exit code 0, else the exit code as its cause, from which kubectl takes its own exit code. */
export function exitStatus(exitCode: number): ExecStatus {
  if (exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

/** The status of a command that could not be run, in the words of an internal error. */
export function failureStatus(what: string, error: unknown): ExecStatus {
  const message = `${what}: ${error instanceof Error ? error.message : String(error)}`
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  }
}

/** The exit code that a status tells, or undefined where it is a failure of another kind. */
export function exitCodeOf(status: ExecStatus): number | undefined {
  if (status.status === 'Success') return 0
  if (status.reason !== 'NonZeroExitCode') return undefined
  const cause = status.details?.causes.find(({ reason }) => reason === 'ExitCode')
  return cause && /^\d+$/.test(cause.message) ? Number(cause.message) : undefined
}

/** Reads what came over an error stream: v4's JSON, or the plain text of older protocols (nothing said is success). */
export function parseStatus(text: string): ExecStatus {
  if (text.trim() === '') return { metadata: {}, status: 'Success' }
  try {
    const status = JSON.parse(text) as ExecStatus
    if (status.status === 'Success' || status.status === 'Failure') return status
  } catch {
    // Not JSON: an older peer's message.
  }
  return { metadata: {}, status: 'Failure', message: text }
}
