/** An expression that does not compile: its message is upstream's, with the place marked. */
export class CelCompileError extends Error {
  override readonly name = 'CelCompileError'
}

/** Evaluation ended with a CEL error (`no such key: x`, `division by zero`). Logical operators absorb it as the language says. */
export class CelEvaluationError extends Error {
  override readonly name = 'CelEvaluationError'
}

/** Evaluation was stopped: cost limit or deadline. Never absorbed. */
export class CelCancelledError extends Error {
  override readonly name = 'CelCancelledError'
}

export function noSuchOverload(): CelEvaluationError {
  return new CelEvaluationError('no such overload')
}

export function noSuchKey(key: string): CelEvaluationError {
  return new CelEvaluationError(`no such key: ${key}`)
}
