import type { Clock } from '@berth/kube'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'

/** How long the informer is waited for. */
const patienceMs = 30_000

/**
 * The versions of slices that we wrote ourselves. A sync that sees an older one, or does not see a new one at all, would write it again: it waits for
 * the informer instead (upstream's EndpointSliceTracker).
 */
export class SeenVersions {
  readonly #written = new Map<string, Map<string, bigint>>()
  readonly #since = new Map<string, number>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wrote(service: string, slice: EndpointSlice): void {
    const versions = this.#written.get(service) ?? new Map<string, bigint>()
    versions.set(slice.metadata.name, versionOf(slice))
    this.#written.set(service, versions)
    this.#since.set(service, this.#clock.now())
  }

  removed(service: string, slice: EndpointSlice): void {
    this.#written.get(service)?.delete(slice.metadata.name)
  }

  forget(service: string): void {
    this.#written.delete(service)
    this.#since.delete(service)
  }

  /** Whether these slices are older than what we wrote. What has been caught up with is forgotten. */
  stale(service: string, slices: readonly EndpointSlice[]): boolean {
    const versions = this.#written.get(service)
    if (versions === undefined) return false
    for (const slice of slices) {
      const written = versions.get(slice.metadata.name)
      if (written !== undefined && versionOf(slice) >= written) versions.delete(slice.metadata.name)
    }
    // A slice that was made and deleted between two lists will never be seen.
    if (versions.size === 0 || this.#clock.now() - (this.#since.get(service) ?? 0) > patienceMs) this.forget(service)
    return this.#written.has(service)
  }
}

function versionOf(slice: EndpointSlice): bigint {
  const text = slice.metadata.resourceVersion ?? ''
  return /^\d+$/.test(text) ? BigInt(text) : 0n
}
