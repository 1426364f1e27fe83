// What a wait is told, and how it ends in vain.

/** The object that is waited for: `deployment/web`, as kubectl writes it, or any object with apiVersion, kind and metadata (one that `apply` or a client gave). */
export type Target = string | { apiVersion?: string | undefined, kind?: string | undefined, metadata?: { name?: string | undefined, namespace?: string | undefined } | undefined }

/** What is waited for, as `kubectl wait --for` writes it, or a function of the object as it is now. */
export type Until<T> = `condition=${string}` | `jsonpath=${string}` | 'create' | 'delete' | ((object: T) => boolean)

export interface WaitOptions {
  /** `default` where the target names none. */
  readonly namespace?: string
  /** Milliseconds; 30 s where absent. */
  readonly timeout?: number
  /** What a message about a function that never gave true says was waited for. */
  readonly what?: string
}

/** It did not come true in time. The message tells what was waited for, and how the object was last. */
export class WaitTimeoutError extends Error {
  override readonly name = 'WaitTimeoutError'
  /** Undefined where there was none. */
  readonly last: unknown

  constructor(message: string, last: unknown) {
    super(message)
    this.last = last
  }
}
