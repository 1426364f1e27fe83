/** A part of Berth that runs inside this process. */
export interface RunningPart {
  readonly name: string
  /** Ends it in order; resolves when its timers, sockets and watches are gone. Calling it twice is harmless. */
  stop(): Promise<void>
}
