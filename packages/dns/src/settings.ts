import { DnsError } from './errors.ts'
import { parseUpstream, type Upstream } from './forward/resolvers.ts'
import { isSendable } from './wire/names.ts'

/** What a server is told, as plain data: it crosses to its thread. */
export interface DnsSettings {
  nodeName: string
  listen: Upstream[]
  /** undefined: the host's own resolvers. */
  upstreams: Upstream[] | undefined
  clusterDomain: string
  ttl: number
  serviceIp: string | undefined
  publish: boolean
  metrics: Upstream | undefined
  verbosity: number
}

/** Where and how the DNS of a node is served. */
export interface DnsConfig {
  nodeName: string
  /** Addresses to listen on, `172.30.0.11` or `172.30.0.11:53`; the first one is this node's endpoint of the Service. */
  listen: readonly string[]
  /** Resolvers for other names; the host's (systemd-resolved's file, else /etc/resolv.conf) by default. */
  upstreams?: readonly string[]
  /** `cluster.local` by default. */
  clusterDomain?: string
  /** Seconds; 5 by default. */
  ttl?: number
  /** Create the Service kube-system/kube-dns if it is missing. */
  manageService?: boolean
  /** Its cluster IP; 10.96.0.10 by default. */
  serviceIp?: string
  /** Keep this node's EndpointSlice of the Service; true by default. */
  publishEndpoint?: boolean
  /** Address for /metrics, /health and /ready, such as `0.0.0.0:9153`; none by default. */
  metricsAddress?: string
}

/** Checks a configuration. Throws DnsError that names the field. */
export function settle(config: DnsConfig, verbosity: number): DnsSettings {
  const fail = (field: string, why: string): never => {
    throw new DnsError('Config', `${field}: ${why}`)
  }
  const address = (field: string, text: string): Upstream => parseUpstream(text) ?? fail(field, `${JSON.stringify(text)} is no IP address with or without port`)
  const clusterDomain = (config.clusterDomain ?? 'cluster.local').toLowerCase().replace(/\.$/, '')
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(clusterDomain) || !isSendable(`${'a'.repeat(63)}.${clusterDomain}`)) fail('clusterDomain', `${JSON.stringify(config.clusterDomain)} is no DNS name`)
  if (config.listen.length === 0) fail('listen', 'at least one address is required')
  const listen = config.listen.map((text, i) => address(`listen[${i}]`, text))
  const first = listen[0]
  const publish = config.publishEndpoint ?? true
  if (publish && first && ['0.0.0.0', '::'].includes(first.address)) fail('listen[0]', `${first.address} cannot be this node's endpoint: name the node's own address`)
  const own = new Set(listen.map((at) => `${at.address} ${at.port}`))
  const upstreams = config.upstreams?.map((text, i) => address(`upstreams[${i}]`, text))
  const loop = upstreams?.find((upstream) => own.has(`${upstream.address} ${upstream.port}`))
  if (loop) fail('upstreams', `${loop.address} is this server itself`)
  const ttl = config.ttl ?? 5
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 3600) fail('ttl', 'must be an integer from 0 to 3600')
  return {
    nodeName: config.nodeName, listen, upstreams, clusterDomain, ttl, publish, verbosity,
    serviceIp: config.manageService ? (config.serviceIp ?? '10.96.0.10') : undefined,
    metrics: config.metricsAddress === undefined ? undefined : address('metricsAddress', config.metricsAddress),
  }
}
