import { randomBytes } from 'node:crypto'
import { networking } from '@berth/api'
import type { IPAddress } from '@berth/api/types/networking/v1'
import { StatusError } from '../errors.ts'
import type { ResourceStore } from '../interfaces.ts'
import { addressAt, canonicalAddress, contains, dynamicOffset, type IpFamily, type IpRange, parseRange } from './ip-range.ts'

/** Marks the IPAddress objects that this allocator made. */
export const managedBy = { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' }

/** Why an address cannot be had; the words are upstream's. */
export class AllocationError extends Error {
  override readonly name = 'AllocationError'
}

/** The Service an address is for. */
export interface ServiceName {
  readonly namespace: string
  readonly name: string
}

/**
 * Gives Services their addresses. An allocation is an IPAddress object named after the address: creating it is the compare-and-swap, so several servers
 * on one storage agree, and what is allocated is there to be read.
 */
export class ClusterIpAllocator {
  readonly #store: ResourceStore
  readonly #configured: readonly IpRange[]

  /** `ranges`: --service-cluster-ip-range, one CIDR or one of each family separated by a comma. */
  constructor(store: ResourceStore, ranges: string) {
    this.#store = store
    this.#configured = ranges.split(',').map((r) => parseRange(r.trim()))
  }

  /** The families that Services can have here, the default one first. */
  get families(): IpFamily[] {
    return this.#configured.map((r) => r.family)
  }

  /** Allocates a certain address. Throws AllocationError. With `dryRun` nothing is stored. */
  async allocate(address: string, service: ServiceName, dryRun: boolean): Promise<string> {
    const canonical = canonicalAddress(address)
    if (!this.#ranges().some((range) => contains(range, canonical))) throw new AllocationError('the provided network does not match the current range')
    const known = this.#store.get(networking.ipaddresses, canonical)
    if (known) throw new AllocationError('provided IP is already allocated')
    if (!dryRun && !await this.#take(canonical, service)) throw new AllocationError('provided IP is already allocated')
    return canonical
  }

  /** Allocates any address of a family. Throws AllocationError where none is left. */
  async allocateNext(family: IpFamily, service: ServiceName, dryRun: boolean): Promise<string> {
    for (const range of this.#ranges().filter((r) => r.family === family)) {
      const split = dynamicOffset(range.size)
      for (const [from, to] of [[split, range.size], [0n, split]] as const) {
        const address = await this.#search(range, from, to, service, dryRun)
        if (address !== undefined) return address
      }
    }
    throw new AllocationError('range is full')
  }

  /** Gives an address back, if it is this Service's. */
  async release(address: string, service: ServiceName): Promise<void> {
    const canonical = canonicalAddress(address)
    const held = this.#store.get(networking.ipaddresses, canonical)
    if (!held || !belongsTo(held, service)) return
    try {
      await this.#store.delete(networking.ipaddresses, canonical, held.metadata.uid ? { uid: held.metadata.uid } : {})
    } catch (error) {
      if (!(error instanceof StatusError && (error.code === 404 || error.code === 409))) throw error
    }
  }

  /** Looks through [from, to) from a random place on. */
  async #search(range: IpRange, from: bigint, to: bigint, service: ServiceName, dryRun: boolean): Promise<string | undefined> {
    const count = to - from
    if (count <= 0n) return undefined
    const start = randomBytes(8).readBigUInt64BE() % count
    for (let i = 0n; i < count; i++) {
      const address = addressAt(range, from + ((start + i) % count))
      if (this.#store.get(networking.ipaddresses, address)) continue
      if (dryRun || await this.#take(address, service)) return address
    }
    return undefined
  }

  async #take(address: string, service: ServiceName): Promise<boolean> {
    try {
      await this.#store.create(networking.ipaddresses, addressObject(address, service))
      return true
    } catch (error) {
      if (error instanceof StatusError && error.reason === 'AlreadyExists') return false
      throw error
    }
  }

  /** The ranges of all ServiceCIDRs that are not being deleted; the configured ones as long as there is none. */
  #ranges(): IpRange[] {
    const stored = this.#store.list(networking.servicecidrs).filter((c) => !c.metadata.deletionTimestamp).flatMap((c) => c.spec?.cidrs ?? []).map(parseRange)
    return stored.length > 0 ? stored : [...this.#configured]
  }
}

/** The IPAddress that says an address is a Service's. */
export function addressObject(address: string, service: ServiceName): IPAddress {
  return {
    apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress',
    metadata: { name: address, labels: { 'ipaddress.kubernetes.io/ip-family': address.includes(':') ? 'IPv6' : 'IPv4', ...managedBy } },
    spec: { parentRef: { group: '', resource: 'services', namespace: service.namespace, name: service.name } },
  }
}

/** Whether an IPAddress names a Service as its parent. */
export function belongsTo(address: IPAddress, service: ServiceName): boolean {
  const parent = address.spec?.parentRef
  return (parent?.group ?? '') === '' && parent?.resource === 'services' && parent.namespace === service.namespace && parent.name === service.name
}
