import type { Clock } from '@berth/kube'

/** How long creations and deletions are waited for before the world is looked at anyway. */
const expireMs = 5 * 60_000

interface Expected {
  creations: number
  deletions: Set<string>
  at: number
}

/**
 * What a controller has done and not yet seen come back through its informers (client-go's ControllerExpectations). Until it has, the
 * informer's picture is older than the controller's own writes, and acting on it would do them twice.
 */
export class Expectations {
  readonly #expected = new Map<string, Expected>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether all that was expected of `key` has been seen, or too long has passed. */
  satisfied(key: string): boolean {
    const found = this.#expected.get(key)
    return found === undefined || (found.creations <= 0 && found.deletions.size === 0) || this.#clock.now() - found.at > expireMs
  }

  expectCreations(key: string, count: number): void {
    this.#expected.set(key, { creations: count, deletions: new Set(), at: this.#clock.now() })
  }

  /** `objects` are keys of what is about to be deleted. */
  expectDeletions(key: string, objects: Iterable<string>): void {
    this.#expected.set(key, { creations: 0, deletions: new Set(objects), at: this.#clock.now() })
  }

  /** Creations and deletions of one round. */
  expect(key: string, creations: number, deletions: Iterable<string>): void {
    this.#expected.set(key, { creations, deletions: new Set(deletions), at: this.#clock.now() })
  }

  /** One creation has been seen, or has failed; or `count` will not be tried. */
  creationObserved(key: string, count = 1): void {
    const found = this.#expected.get(key)
    if (found !== undefined) found.creations -= count
  }

  deletionObserved(key: string, object: string): void {
    this.#expected.get(key)?.deletions.delete(object)
  }

  forget(key: string): void {
    this.#expected.delete(key)
  }
}
