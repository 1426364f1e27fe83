// How much CPU is used now: the difference of two readings of a counter.

/** Two readings this near to each other tell nothing. */
const shortestMs = 1_000
/** What was not asked about for so long is forgotten. */
const forgottenMs = 10 * 60_000

interface Reading { readonly timeMs: number, readonly nanoseconds: number, readonly rate: number | undefined }

/** Remembers readings by key. */
export class CpuRates {
  readonly #readings = new Map<string, Reading>()

  /** Nanocores (a full core is 1e9) since the reading before; undefined for a first one, and where the counter went back. `timeMs`: since 1970. */
  of(key: string, nanoseconds: number, timeMs: number): number | undefined {
    const before = this.#readings.get(key)
    if (before && timeMs - before.timeMs < shortestMs && nanoseconds >= before.nanoseconds) return before.rate
    const rate = before && nanoseconds >= before.nanoseconds ? Math.round(((nanoseconds - before.nanoseconds) / (timeMs - before.timeMs)) * 1000) : undefined
    this.#readings.set(key, { timeMs, nanoseconds, rate })
    for (const [each, { timeMs: at }] of this.#readings) if (timeMs - at > forgottenMs) this.#readings.delete(each)
    return rate
  }
}
