// Leases for keys that go by themselves. As upstream, one lease serves the keys of a minute, so that a cluster's events are not a lease each.
import type { EtcdClient } from './client.ts'

/** A lease is used for new keys for so long, and lives so much longer. */
const reuseSeconds = 60
const maxKeys = 1000

export class LeaseManager {
  readonly #client: Pick<EtcdClient, 'leaseGrant'>
  readonly #now: () => number
  /** By time to live. */
  readonly #leases = new Map<number, { id: Promise<bigint>, until: number, keys: number }>()

  constructor(client: Pick<EtcdClient, 'leaseGrant'>, now: () => number = Date.now) {
    this.#client = client
    this.#now = now
  }

  /** A lease under which a key that is written now lives for at least `ttlSeconds`, and hardly more than a minute longer. */
  lease(ttlSeconds: number): Promise<bigint> {
    const known = this.#leases.get(ttlSeconds)
    if (known && known.until > this.#now() && known.keys < maxKeys) {
      known.keys++
      return known.id
    }
    // Of a short time to live, only a twentieth is added.
    const extra = Math.max(1, Math.min(reuseSeconds, Math.ceil(ttlSeconds / 20)))
    const id = this.#client.leaseGrant(ttlSeconds + extra).then((lease) => lease.id)
    const lease = { id, until: this.#now() + extra * 1000, keys: 1 }
    this.#leases.set(ttlSeconds, lease)
    id.catch(() => { if (this.#leases.get(ttlSeconds) === lease) this.#leases.delete(ttlSeconds) })
    return id
  }
}
