import type { EndpointSlice } from '@berth/api/types/discovery/v1'

/**
 * The versions of slices that we wrote ourselves. A sync that sees an older one, or does not see a new one at all, would write it again: it waits for
 * the informer instead (upstream's EndpointSliceTracker).
 */
export class SeenVersions {
  readonly #written = new Map<string, Map<string, bigint>>()

  wrote(service: string, slice: EndpointSlice): void {
    const versions = this.#written.get(service) ?? new Map<string, bigint>()
    versions.set(slice.metadata.name, versionOf(slice))
    this.#written.set(service, versions)
  }

  removed(service: string, slice: EndpointSlice): void {
    this.#written.get(service)?.delete(slice.metadata.name)
  }

  forget(service: string): void {
    this.#written.delete(service)
  }

  /** Whether these slices are older than what we wrote. What has been caught up with is forgotten. */
  stale(service: string, slices: readonly EndpointSlice[]): boolean {
    const versions = this.#written.get(service)
    if (versions === undefined) return false
    for (const slice of slices) {
      const written = versions.get(slice.metadata.name)
      if (written !== undefined && versionOf(slice) >= written) versions.delete(slice.metadata.name)
    }
    return versions.size > 0
  }
}

function versionOf(slice: EndpointSlice): bigint {
  const text = slice.metadata.resourceVersion ?? ''
  return /^\d+$/.test(text) ? BigInt(text) : 0n
}
