import { isIP } from 'node:net'
import { storageOptionsOf } from '@berth/apiserver/storage-flags'
import type { Instance } from './instance.ts'

/** Where a cluster's objects are, when they are not in its data directory: an etcd of the user's. */
export type InstanceEtcd = ReturnType<typeof storageOptionsOf>['etcd']

/**
 * The storage of an instance: what the command line says, else what it was. Objects stay where they are: `berth snapshot migrate` brings them along.
 * Throws RangeError where the server, in its own network namespace, could not reach the etcd.
 */
export function decideStorage(before: InstanceEtcd | undefined, given: Parameters<typeof storageOptionsOf>[0]): Pick<Instance, 'etcd'> {
  if (given['storage-backend'] === undefined && given['etcd-servers'].length === 0) return before ? { etcd: before } : {}
  const { storage, etcd } = storageOptionsOf(given)
  if (storage === 'sqlite') return {}
  for (const server of etcd.servers) {
    const host = new URL(/^\w+:\/\//.test(server) ? server : `http://${server}`).hostname.replaceAll(/[[\]]/g, '')
    if (host === 'localhost' || (isIP(host) > 0 && (host.startsWith('127.') || host === '::1'))) {
      throw new RangeError(`--etcd-servers: ${server} is the control plane's own network namespace; name the machine by its address on the cluster's underlay (the gateway, .254) or on its network`)
    }
  }
  return { etcd }
}
