import { reverseName, type ServiceRecords } from './service-records.ts'

/** A service by namespace and name. */
export interface ServiceName {
  namespace: string
  name: string
}

/** All that the cluster's zone says, kept up to date service by service. */
export class Zone {
  readonly #services = new Map<string, ServiceRecords>()
  readonly #namespaces = new Set<string>()
  /** Reverse names to the names they lead to, by the service they are of. */
  readonly #reverse = new Map<string, Map<string, string>>()
  /** Seconds; grows with each change. */
  serial = 1

  service({ namespace, name }: ServiceName): ServiceRecords | undefined {
    return this.#services.get(`${namespace}/${name}`)
  }

  hasNamespace(namespace: string): boolean {
    return this.#namespaces.has(namespace)
  }

  /** Names, relative to the zone, that a reverse name leads to. */
  pointers(name: string): string[] {
    return [...(this.#reverse.get(name)?.values() ?? [])].toSorted()
  }

  setNamespace(namespace: string, exists: boolean): void {
    if (exists) this.#namespaces.add(namespace)
    else this.#namespaces.delete(namespace)
  }

  /** The records of a service; undefined: it is gone. `key` is `namespace/name`. */
  setService(key: string, records: ServiceRecords | undefined, now: number): void {
    const before = this.#services.get(key)
    if (before) for (const [reverse] of pointersOf(key, before)) this.#forget(reverse, key)
    if (records) this.#services.set(key, records)
    else this.#services.delete(key)
    if (records) {
      for (const [reverse, target] of pointersOf(key, records)) {
        const owners = this.#reverse.get(reverse) ?? new Map<string, string>()
        this.#reverse.set(reverse, owners.set(key, target))
      }
    }
    this.serial = Math.max(this.serial + 1, Math.floor(now / 1000)) % 2 ** 32
  }

  #forget(reverse: string, owner: string): void {
    const owners = this.#reverse.get(reverse)
    owners?.delete(owner)
    if (owners?.size === 0) this.#reverse.delete(reverse)
  }
}

function* pointersOf(key: string, records: ServiceRecords): Iterable<[string, string]> {
  const [namespace, name] = key.split('/')
  const own = `${name}.${namespace}.svc`
  if (records.kind === 'clusterIP') {
    for (const address of records.addresses) yield* pointer(address, own)
  }
  for (const [host, addresses] of records.hosts) for (const address of addresses) yield* pointer(address, `${host}.${own}`)
}

function* pointer(address: string, target: string): Iterable<[string, string]> {
  const reverse = reverseName(address)
  if (reverse !== undefined) yield [reverse, target]
}
