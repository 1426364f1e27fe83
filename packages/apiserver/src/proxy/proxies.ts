import { randomInt } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import { core } from '@berth/api'
import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import { badRequest, serviceUnavailable } from '../errors.ts'
import type { ConnectHandler, ResourceStore } from '../interfaces.ts'
import { httpProxy, type ProxyTarget } from './http-proxy.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import type { ProxyName } from './proxy-name.ts'
import { serviceEndpoints } from './service-endpoints.ts'

/** nodes/proxy, pods/proxy and services/proxy. Backends over https are not checked (their certificates are their own), kubelets as everywhere. */
export function proxies(store: ResourceStore, kubelet: KubeletAccess): ConnectHandler[] {
  return [
    httpProxy(core.nodes, 'node', (object, name) => {
      const node = object as unknown as Node
      const address = new URL(kubelet.url(node.metadata.name, '/', new URLSearchParams()))
      if (name.port === '' || name.port === address.port) return { origin: address.origin, tls: kubelet.tls(false) }
      return target(name.scheme, address.hostname.replace(/^\[|\]$/g, ''), name.port)
    }),
    httpProxy(core.pods, 'pod', (object, name) => podTarget(object as unknown as Pod, name)),
    httpProxy(core.services, 'service', (object, name) => serviceTarget(store, object as unknown as Service, name)),
  ]
}

function podTarget(pod: Pod, name: ProxyName): ProxyTarget {
  const declared = pod.spec?.containers.flatMap((c) => c.ports ?? [])[0]?.containerPort
  return target(name.scheme, pod.status?.podIP ?? '', name.port || String(declared ?? (name.scheme === 'https' ? 443 : 80)))
}

function serviceTarget(store: ResourceStore, service: Service, asked: ProxyName): ProxyTarget {
  const name = service.metadata.name
  const ports = service.spec?.ports ?? []
  const port = asked.port === '' ? (ports.length === 1 ? ports[0] : ports.find((p) => !p.name)) : ports.find((p) => p.name === asked.port || String(p.port) === asked.port)
  if (!port) throw serviceUnavailable(asked.port === '' ? `no endpoints available for service ${JSON.stringify(name)}` : `no service port ${JSON.stringify(asked.port)} found for service ${JSON.stringify(name)}`)
  const candidates = serviceEndpoints(store, service, port)
  const chosen = candidates.length === 0 ? undefined : candidates[randomInt(candidates.length)]
  if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  return target(asked.scheme, chosen.address, String(chosen.port))
}

/** Addresses of this machine itself are nobody's to reach through the server. */
function target(scheme: string, host: string, port: string): ProxyTarget {
  if (!ipaddr.isValid(host) || ['loopback', 'linkLocal', 'unspecified', 'multicast'].includes(ipaddr.parse(host).range())) throw badRequest('address not allowed')
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) throw badRequest(`invalid port ${JSON.stringify(port)}`)
  return { origin: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`, tls: { rejectUnauthorized: false } }
}
