import { discovery } from '@berth/api'
import type { Service, ServicePort } from '@berth/api/types/core/v1'
import type { ResourceStore } from '../interfaces.ts'

/** The ready endpoints of a service's port, as addresses that this server can dial. */
export function serviceEndpoints(store: ResourceStore, service: Service, port: ServicePort): { readonly address: string, readonly port: number }[] {
  return store.list(discovery.endpointslices, service.metadata.namespace ?? '')
    .filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name)
    .flatMap((slice) => {
      const number = slice.ports?.find((each) => (each.name ?? '') === (port.name ?? ''))?.port
      return number === undefined ? [] : (slice.endpoints ?? []).filter((each) => each.conditions?.ready !== false).flatMap(({ addresses }) => addresses.map((address) => ({ address, port: number })))
    })
}
