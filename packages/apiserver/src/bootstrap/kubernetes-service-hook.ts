import { isDeepStrictEqual } from 'node:util'
import ipaddr from 'ipaddr.js'
import { core, discovery, type ResourceInfo } from '@berth/api'
import type { Endpoints, Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import { advertiseAddressOf, firstServiceAddress } from '../certificates/addresses.ts'
import type { BootstrapHook, ServerDependencies } from '../interfaces.ts'
import { livingServers } from './master-leases.ts'
import { repeat } from './repeat.ts'

type Needed = Pick<ServerDependencies, 'store' | 'storage' | 'options' | 'log' | 'port'>

const namespace = 'default'
const name = 'kubernetes'

/** Keeps the Service `kubernetes`, through which pods reach this server, and its endpoints at the advertised addresses of all servers that live. */
export function kubernetesServiceHook(dependencies: Needed): BootstrapHook {
  const { options, log } = dependencies
  return {
    name: 'bootstrap-controller',
    run: (signal) => repeat(async () => {
      const port = dependencies.port()
      const address = advertiseAddressOf(options)
      await ensure(dependencies, core.services, wantedService(firstServiceAddress(options.serviceClusterIpRange), port), (live, wanted) => isDeepStrictEqual(live.spec?.ports, wanted.spec?.ports) ? live : { ...live, spec: { ...live.spec, ports: wanted.spec?.ports ?? [] } })
      // A loopback address is another one in every pod: there is nothing to point them to.
      if (ipaddr.parse(address).range() === 'loopback') return
      const addresses = await livingServers(dependencies.storage, address)
      await ensure(dependencies, core.endpoints, wantedEndpoints(addresses, port), (live, wanted) => isDeepStrictEqual(live.subsets, wanted.subsets) ? live : { ...live, subsets: wanted.subsets ?? [] })
      await ensure(dependencies, discovery.endpointslices, wantedSlice(addresses, port), (live, wanted) => isDeepStrictEqual([live.endpoints, live.ports], [wanted.endpoints, wanted.ports]) ? live : { ...live, endpoints: wanted.endpoints, ports: wanted.ports ?? [] })
    }, 10_000, signal, log, `reconcile the service ${namespace}/${name}`),
  }
}

async function ensure<T extends { metadata: ObjectMeta }>({ store }: Needed, resource: ResourceInfo<T>, wanted: T, merge: (live: T, wanted: T) => T): Promise<void> {
  const live = store.get(resource, name, namespace)
  if (!live) {
    await store.create(resource, wanted)
    return
  }
  if (live.metadata.deletionTimestamp) return
  const merged = merge(live, wanted)
  if (merged !== live) await store.update(resource, merged)
}

function wantedService(clusterIP: string, port: number): Service {
  return {
    apiVersion: 'v1', kind: 'Service',
    metadata: { name, namespace, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { type: 'ClusterIP', clusterIP, sessionAffinity: 'None', ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }] },
  }
}

function wantedEndpoints(addresses: readonly string[], port: number): Endpoints {
  return {
    apiVersion: 'v1', kind: 'Endpoints',
    metadata: { name, namespace, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  }
}

function wantedSlice(addresses: readonly string[], port: number): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: addresses[0]?.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  }
}
