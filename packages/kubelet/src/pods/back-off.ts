interface Entry { delayMs: number; updatedAt: number }

/**
 * Exponential delays by key, as upstream's flowcontrol.Backoff: the first failure waits `initialMs`, each further one doubles up to
 * `maxMs`, and a key that was quiet for twice the maximum (10 minutes at the default of 300 s) begins again. Time is passed in.
 */
export class BackOff {
  readonly #entries = new Map<string, Entry>()
  readonly #initialMs: number
  readonly #maxMs: number

  constructor(initialMs: number, maxMs: number) {
    this.#initialMs = initialMs
    this.#maxMs = maxMs
  }

  /** The delay in force for the key, in milliseconds; 0 when there is none. */
  get(key: string): number {
    return this.#entries.get(key)?.delayMs ?? 0
  }

  /** How long the key still has to wait when its last failure was at `eventTime`; 0 when it may go. */
  remaining(key: string, eventTime: number, now: number): number {
    const entry = this.#entries.get(key)
    if (!entry || eventTime - entry.updatedAt > 2 * this.#maxMs) return 0
    return Math.max(0, entry.delayMs - (now - eventTime))
  }

  /** How long the key still has to wait counted from its last `next`. */
  remainingSinceUpdate(key: string, now: number): number {
    const entry = this.#entries.get(key)
    if (!entry || now - entry.updatedAt > 2 * this.#maxMs) return 0
    return Math.max(0, entry.delayMs - (now - entry.updatedAt))
  }

  /** Counts a failure that happened at `eventTime`: begins or doubles the delay. */
  next(key: string, eventTime: number, now: number): void {
    const entry = this.#entries.get(key)
    const fresh = !entry || eventTime - entry.updatedAt > 2 * this.#maxMs
    this.#entries.set(key, { delayMs: fresh ? this.#initialMs : Math.min(entry.delayMs * 2, this.#maxMs), updatedAt: now })
  }

  reset(key: string): void {
    this.#entries.delete(key)
  }

  /** Forgets keys that nobody asked for in a long time. */
  collect(now: number): void {
    for (const [key, entry] of this.#entries) if (now - entry.updatedAt > 2 * this.#maxMs) this.#entries.delete(key)
  }
}

/** A duration as Go prints it: 10s, 1m20s, 5m0s. */
export function goDuration(ms: number): string {
  if (ms === 0) return '0s'
  if (ms < 1000) return `${ms}ms`
  const total = ms / 1000
  const h = Math.floor(total / 3600)
  const m = Math.floor((total % 3600) / 60)
  const s = total % 60
  const seconds = Number.isInteger(s) ? String(s) : String(Number(s.toFixed(3)))
  return h > 0 ? `${h}h${m}m${seconds}s` : m > 0 ? `${m}m${seconds}s` : `${seconds}s`
}
