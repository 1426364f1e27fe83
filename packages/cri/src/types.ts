/**
 * A message as a caller writes it: every field may be left out, and then has protobuf's default
 * (zero, the empty string, an empty list, an enumeration's first value; a message stays absent).
 */
export type Init<T> = T extends string | number | boolean | bigint | Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Init<Item>[]
    : { [Key in keyof T]?: Init<T[Key]> | undefined }

/** What may be said about one call. */
export interface CallOptions {
  /** Milliseconds until the call fails with DeadlineExceeded; 0 means no deadline. Default: the client's. */
  timeoutMs?: number
  /** Cancels the call (Cancelled). */
  signal?: AbortSignal
}

/** What a server's method learns about the call besides its request. */
export interface CallContext {
  /** Aborted when the caller has gone, has cancelled, or its deadline has passed. */
  signal: AbortSignal
  /** The caller's deadline, where it set one. */
  deadline: Date | undefined
}
