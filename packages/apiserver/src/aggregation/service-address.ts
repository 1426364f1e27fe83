// From an APIService's Service to the address that is dialled.
import { randomInt } from 'node:crypto'
import { core } from '@berth/api'
import type { ResourceStore } from '../interfaces.ts'
import { serviceEndpoints } from '../proxy/service-endpoints.ts'
import type { ServiceKey } from './api-services.ts'

const routable = new Set(['ClusterIP', 'NodePort', 'LoadBalancer'])

/**
 * `host:port` of a ready endpoint, any one (--enable-aggregator-routing), or of the cluster IP. Throws an Error in upstream's words where there is none.
 * An ExternalName is dialled as it is.
 */
export function serviceAddress(store: ResourceStore, { namespace, name, port }: ServiceKey, toEndpoints: boolean): string {
  const service = store.get(core.services, name, namespace)
  if (!service) throw new Error(`service ${JSON.stringify(name)} not found`)
  const { type = 'ClusterIP', clusterIP = '', externalName = '', ports = [] } = service.spec ?? {}
  if (type === 'ExternalName') return hostPort(externalName, port)
  if (!routable.has(type)) throw new Error(`unsupported service type ${JSON.stringify(type)}`)
  const found = ports.find((each) => each.port === port)
  if (!found) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  if (!toEndpoints) {
    if (clusterIP === 'None') throw new Error('cannot route to service with ClusterIP "None"')
    return hostPort(clusterIP, port)
  }
  const endpoints = serviceEndpoints(store, service, found)
  const chosen = endpoints.length === 0 ? undefined : endpoints[randomInt(endpoints.length)]
  if (!chosen) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
  return hostPort(chosen.address, chosen.port)
}

function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
