import { core, networking } from '@berth/api'
import { ignoreExisting } from '../bootstrap/namespaces-hook.ts'
import { repeat } from '../bootstrap/repeat.ts'
import type { BootstrapHook, ResourceStore, ServerLog } from '../interfaces.ts'
import { addressObject, belongsTo, managedBy, type ClusterIpAllocator } from './cluster-ip-allocator.ts'
import { canonicalAddress, familyOf } from './ip-range.ts'
import type { NodePortAllocator } from './node-port-allocator.ts'
import { addressesOf, nodePortsOf } from './service-types.ts'

const intervalMs = 3 * 60_000
/** A younger address may belong to a Service that is being written. */
const graceMs = 60_000

/**
 * Holds allocations to the Services there are: what a Service has is marked as taken, what no Service has (a server died between two writes) is given back.
 * Runs at start and every three minutes.
 */
export function repairHook(store: ResourceStore, addresses: ClusterIpAllocator, nodePorts: NodePortAllocator, log: ServerLog): BootstrapHook {
  let unused = new Set<number>()
  const repair = async (): Promise<void> => {
    await repairAddresses(store, addresses, Date.now())
    unused = await repairPorts(store, nodePorts, unused)
  }
  return {
    name: 'start-service-ip-repair-controllers',
    run: (signal) => repeat(repair, intervalMs, signal, log, 'repair service allocations'),
  }
}

/** Makes the IPAddress that a Service lacks, and gives back those whose Service is gone. `now` in ms. */
export async function repairAddresses(store: ResourceStore, addresses: ClusterIpAllocator, now: number): Promise<void> {
  for (const service of store.list(core.services)) {
    const name = { namespace: service.metadata.namespace ?? '', name: service.metadata.name }
    for (const ip of addressesOf(service.spec)) {
      if (familyOf(ip) && !store.get(networking.ipaddresses, canonicalAddress(ip))) await ignoreExisting(store.create(networking.ipaddresses, addressObject(canonicalAddress(ip), name)))
    }
  }
  const [label, value] = Object.entries(managedBy)[0] ?? ['', '']
  for (const address of store.list(networking.ipaddresses)) {
    const parent = address.spec?.parentRef
    if (address.metadata.labels?.[label] !== value || !parent?.name || !parent.namespace) continue
    if (now - Date.parse(address.metadata.creationTimestamp ?? '') < graceMs) continue
    const service = store.get(core.services, parent.name, parent.namespace)
    const used = service && addressesOf(service.spec).some((ip) => familyOf(ip) && canonicalAddress(ip) === address.metadata.name)
    if (!used && belongsTo(address, { namespace: parent.namespace, name: parent.name })) await addresses.release(address.metadata.name, { namespace: parent.namespace, name: parent.name })
  }
}

/** Marks what Services have; frees what no Service had now and none the time before. Gives what is unused now. */
export async function repairPorts(store: ResourceStore, nodePorts: NodePortAllocator, unusedBefore: ReadonlySet<number>): Promise<Set<number>> {
  const used = new Set(store.list(core.services).flatMap((s) => [...nodePortsOf(s.spec), ...(s.spec?.healthCheckNodePort ? [s.spec.healthCheckNodePort] : [])]))
  await nodePorts.take(() => ({ taken: used, result: undefined }), false)
  const unused = new Set([...(await nodePorts.read()).ports()].filter((port) => !used.has(port)))
  await nodePorts.release([...unused].filter((port) => unusedBefore.has(port)))
  return unused
}
