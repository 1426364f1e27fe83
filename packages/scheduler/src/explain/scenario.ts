import type { Cache } from '../cache/cache.ts'
import type { Change } from '../cache/changes.ts'

/**
 * Changes tried out on a cache and taken back. While a scenario lasts nobody else may change the cache; `undo` leaves it
 * as it was.
 */
export class Scenario {
  readonly #cache: Cache
  readonly #inverse: Change[] = []

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** Applies a change of a node, a pod, a service or an owner. Throws RangeError for a change that could not be taken back. */
  apply(change: Change): void {
    this.#inverse.push(...this.#inverseOf(change))
    this.#cache.apply(change)
  }

  /** Takes everything back, the last change first. */
  undo(): void {
    for (let change = this.#inverse.pop(); change; change = this.#inverse.pop()) this.#cache.apply(change)
  }

  /** What restores the state before the change; applied from the last to the first. */
  #inverseOf(change: Change): Change[] {
    switch (change.type) {
      case 'node-set': {
        const { name } = change.node.metadata
        const known = this.#cache.node(name)
        return [known ? { type: 'node-set', node: known.node } : { type: 'node-gone', name }]
      }
      case 'pod-set': return this.#restorePod(`${change.pod.metadata.namespace ?? 'default'}/${change.pod.metadata.name}`)
      case 'pod-gone': return this.#restorePod(change.key)
      case 'owner-set': return [{ type: 'owner-gone', kind: change.kind, key: change.key }]
      case 'service-set': return [{ type: 'service-gone', key: `${change.service.metadata.namespace ?? 'default'}/${change.service.metadata.name}` }]
      default: throw new RangeError(`a scenario cannot take back ${change.type}`)
    }
  }

  #restorePod(key: string): Change[] {
    const place = this.#cache.placeOf(key)
    const pod = place === undefined ? undefined : this.#cache.node(place)?.pods.get(key)?.pod
    const nominated = this.#cache.nominationOf(key)
    const nominee = nominated === undefined ? undefined : this.#cache.nominatedOn(nominated)?.get(key)?.pod
    const inverse: Change[] = []
    if (nominated !== undefined && nominee) inverse.push({ type: 'nominate', pod: nominee, node: nominated })
    if (place === undefined || !pod) inverse.push({ type: 'pod-gone', key })
    else if (this.#cache.isAssumed(key)) inverse.push({ type: 'assume', pod, node: place, sequence: this.#cache.sequence })
    else inverse.push({ type: 'pod-set', pod })
    return inverse
  }
}
