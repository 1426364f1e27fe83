/** A timer that has been set. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

/** Time as a dependency, so that pure code and tests decide what time it is. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Calls `fn` once after `ms` milliseconds. A timer keeps the process alive until it fires or is cancelled. */
  setTimeout(fn: () => void, ms: number): Timer
}

/** A clock that a test moves. Timers that fall due run in order of their time, inside `advance`. */
export interface FakeClock extends Clock {
  /** Moves time on by `ms`, running what falls due; between timers, pending promises are let run. */
  advance(ms: number): Promise<void>
  /** How many timers wait. */
  readonly pending: number
}
