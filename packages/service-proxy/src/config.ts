import { availableParallelism } from 'node:os'
import { parseDuration, readConfigFile, type Shape } from '@berth/kube'
import { ProxyError } from './errors.ts'

/** KubeProxyConfiguration v1alpha1, as far as it says something to a proxy on nftables. Durations are Go's. */
export interface KubeProxyConfiguration {
  apiVersion?: string
  kind?: string
  bindAddress?: string
  bindAddressHardFail?: boolean
  clientConnection?: { kubeconfig?: string; acceptContentTypes?: string; contentType?: string; qps?: number; burst?: number }
  clusterCIDR?: string
  configSyncPeriod?: string
  conntrack?: { tcpEstablishedTimeout?: string; tcpCloseWaitTimeout?: string; udpTimeout?: string; udpStreamTimeout?: string; tcpBeLiberal?: boolean; maxPerCore?: number; min?: number }
  detectLocal?: { bridgeInterface?: string; interfaceNamePrefix?: string }
  detectLocalMode?: string
  enableProfiling?: boolean
  featureGates?: Record<string, boolean>
  healthzBindAddress?: string
  hostnameOverride?: string
  metricsBindAddress?: string
  mode?: string
  nftables?: { masqueradeAll?: boolean; masqueradeBit?: number; minSyncPeriod?: string; syncPeriod?: string }
  nodePortAddresses?: string[]
  oomScoreAdj?: number
  showHiddenMetricsForVersion?: string
}

const string: Shape = { type: 'string' }
const boolean: Shape = { type: 'boolean' }
const duration: Shape = { type: 'duration' }
const integer: Shape = { type: 'integer' }
const raw: Shape = { type: 'raw' }

// Other modes' sections are known and say nothing here, as upstream; a stock file has them all.
const shape: Shape = {
  type: 'object',
  fields: {
    apiVersion: string, kind: string, bindAddress: string, bindAddressHardFail: boolean, clusterCIDR: string, configSyncPeriod: duration, enableProfiling: boolean,
    healthzBindAddress: string, hostnameOverride: string, metricsBindAddress: string, mode: string, oomScoreAdj: integer, portRange: string, showHiddenMetricsForVersion: string,
    windowsRunAsService: boolean, detectLocalMode: string, iptables: raw, ipvs: raw, winkernel: raw, logging: raw,
    featureGates: { type: 'map', values: boolean },
    nodePortAddresses: { type: 'list', items: string },
    clientConnection: { type: 'object', fields: { acceptContentTypes: string, burst: integer, contentType: string, kubeconfig: string, qps: { type: 'number' } } },
    conntrack: {
      type: 'object',
      fields: { maxPerCore: integer, min: integer, tcpBeLiberal: boolean, tcpCloseWaitTimeout: duration, tcpEstablishedTimeout: duration, udpStreamTimeout: duration, udpTimeout: duration },
    },
    detectLocal: { type: 'object', fields: { bridgeInterface: string, interfaceNamePrefix: string } },
    nftables: { type: 'object', fields: { masqueradeAll: boolean, masqueradeBit: { type: 'integer', minimum: 0, maximum: 31 }, minSyncPeriod: duration, syncPeriod: duration } },
  },
}

/** Reads a configuration file strictly. Throws with the field's path. */
export function readProxyConfig(path: string): Promise<KubeProxyConfiguration> {
  return readConfigFile(path, { group: 'kubeproxy.config.k8s.io', version: 'v1alpha1', kind: 'KubeProxyConfiguration' }, shape)
}

/** The configuration with upstream's defaults, as numbers and decided modes. */
export interface ProxySettings {
  healthz: Listen | undefined
  metrics: Listen | undefined
  clusterCidr: string | undefined
  detectLocal: { mode: 'ClusterCIDR' | 'NodeCIDR' } | { mode: 'BridgeInterface' | 'InterfaceNamePrefix'; name: string }
  nodePortAddresses: string[]
  masqueradeAll: boolean
  masqueradeMark: number
  syncPeriodMs: number
  minSyncPeriodMs: number
  /** sysctls below net/netfilter, and values. */
  conntrack: [string, number][]
}

export interface Listen {
  address: string
  port: number
}

/** Decides every setting; refuses what this proxy cannot do. Throws ProxyError that names the field. */
export function settle(config: KubeProxyConfiguration): ProxySettings {
  const refuse = (field: string, why: string): never => {
    throw new ProxyError('Config', `KubeProxyConfiguration: ${field}: ${why}`)
  }
  const mode = config.mode ?? ''
  if (mode !== '' && mode !== 'nftables') refuse('mode', `Unsupported value: ${JSON.stringify(mode)}: supported values: "nftables"`)
  if (config.enableProfiling) refuse('enableProfiling', 'profiling is not supported')
  if (config.showHiddenMetricsForVersion) refuse('showHiddenMetricsForVersion', 'there are no hidden metrics')
  const gate = Object.keys(config.featureGates ?? {})[0]
  if (gate) refuse(`featureGates.${gate}`, 'unrecognized feature gate')
  const bit = config.nftables?.masqueradeBit ?? 14
  if (bit > 23) refuse('nftables.masqueradeBit', 'must be at most 23: the bits above are used for session affinity')
  if (config.bindAddress?.includes(':')) refuse('bindAddress', 'IPv6 is not supported yet')
  const clusterCidr = config.clusterCIDR?.split(',').map((cidr) => cidr.trim()).find((cidr) => cidr !== '' && !cidr.includes(':'))
  const ms = (text: string | undefined, otherwise: number): number => (text === undefined || parseDuration(text) === 0 ? otherwise : parseDuration(text))
  return {
    healthz: listen('healthzBindAddress', config.healthzBindAddress ?? '0.0.0.0:10256', 10256),
    metrics: listen('metricsBindAddress', config.metricsBindAddress ?? '127.0.0.1:10249', 10249),
    clusterCidr,
    detectLocal: detectLocal(config, refuse),
    nodePortAddresses: config.nodePortAddresses ?? [],
    masqueradeAll: config.nftables?.masqueradeAll ?? false,
    masqueradeMark: 2 ** bit,
    syncPeriodMs: ms(config.nftables?.syncPeriod, 30_000),
    // Upstream waits 1 s between syncs because one is dear; here a change costs milliseconds.
    minSyncPeriodMs: ms(config.nftables?.minSyncPeriod, 100),
    conntrack: conntrack(config),
  }
}

function detectLocal(config: KubeProxyConfiguration, refuse: (field: string, why: string) => never): ProxySettings['detectLocal'] {
  const mode = config.detectLocalMode || 'ClusterCIDR'
  if (mode === 'ClusterCIDR' || mode === 'NodeCIDR') return { mode }
  const named = mode === 'BridgeInterface' ? ['bridgeInterface', config.detectLocal?.bridgeInterface] as const
    : mode === 'InterfaceNamePrefix' ? ['interfaceNamePrefix', config.detectLocal?.interfaceNamePrefix] as const
      : refuse('detectLocalMode', `Unsupported value: ${JSON.stringify(mode)}: supported values: "BridgeInterface", "ClusterCIDR", "InterfaceNamePrefix", "NodeCIDR"`)
  const [field, name] = named
  if (!name || !/^[A-Za-z0-9_.-]{1,15}$/.test(name)) return refuse(`detectLocal.${field}`, 'an interface name is required')
  return { mode: mode === 'BridgeInterface' ? 'BridgeInterface' : 'InterfaceNamePrefix', name }
}

function conntrack({ conntrack: c = {} }: KubeProxyConfiguration): [string, number][] {
  const seconds = (text: string | undefined, otherwise: number): number => (text === undefined ? otherwise : Math.round(parseDuration(text) / 1000))
  const values: [string, number][] = [
    ['nf_conntrack_tcp_timeout_established', seconds(c.tcpEstablishedTimeout, 86_400)],
    ['nf_conntrack_tcp_timeout_close_wait', seconds(c.tcpCloseWaitTimeout, 3600)],
    ['nf_conntrack_udp_timeout', seconds(c.udpTimeout, 0)],
    ['nf_conntrack_udp_timeout_stream', seconds(c.udpStreamTimeout, 0)],
    ['nf_conntrack_tcp_be_liberal', c.tcpBeLiberal ? 1 : 0],
  ]
  const max = Math.max((c.maxPerCore ?? 32_768) * availableParallelism(), c.min ?? 131_072)
  values.push(['nf_conntrack_max', c.maxPerCore === 0 ? 0 : max])
  return values.filter(([, value]) => value > 0) // 0 leaves the kernel's own
}

function listen(field: string, text: string, port: number): Listen | undefined {
  if (text === '') return undefined
  const match = /^([\d.]+)(?::(\d+))?$/.exec(text)
  if (!match?.[1]) throw new ProxyError('Config', `KubeProxyConfiguration: ${field}: ${JSON.stringify(text)} must be IPv4:port`)
  return { address: match[1], port: match[2] === undefined ? port : Number(match[2]) }
}
