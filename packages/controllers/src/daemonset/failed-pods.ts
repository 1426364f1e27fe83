import type { Clock } from '@berth/kube'

const firstMs = 1_000
const mostMs = 15 * 60_000

/** How long failed pods of each set and node are left lying: 1 s, 2 s, ... 15 minutes; forgotten when twice the longest has passed since. */
export class FailedPodBackoff {
  readonly #known = new Map<string, { delay: number; at: number }>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds until a failed pod under `key` may be deleted; zero: now, and the next will wait longer. */
  next(key: string): number {
    const now = this.#clock.now()
    const known = this.#known.get(key)
    if (known !== undefined && now - known.at < known.delay) return known.delay - (now - known.at)
    for (const [other, { at }] of this.#known) if (now - at > 2 * mostMs) this.#known.delete(other)
    const before = this.#known.get(key)?.delay
    this.#known.set(key, { delay: before === undefined ? firstMs : Math.min(2 * before, mostMs), at: now })
    return 0
  }
}
