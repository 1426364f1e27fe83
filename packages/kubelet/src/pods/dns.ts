import type { Pod } from '@berth/api/types/core/v1'

export interface DnsConfig { servers: string[]; searches: string[]; options: string[] }

const maxServers = 3
const maxSearches = 32
const maxSearchLength = 2048

/** What of a resolv.conf matters here. */
export function parseResolvConf(text: string): DnsConfig {
  const config: DnsConfig = { servers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.replace(/[#;].*$/, '').trim().split(/\s+/)
    if (word === 'nameserver' && rest[0]) config.servers.push(rest[0])
    // The last search or options line wins, as in the resolver itself.
    else if (word === 'search') config.searches = rest.map((s) => (s === '.' ? s : s.replace(/\.$/, '')))
    else if (word === 'options') config.options = rest
  }
  return config
}

const unique = (items: string[]): string[] => [...new Set(items)]

/**
 * The resolver settings of a pod by its dnsPolicy and dnsConfig. `problems` says what was cut off, for an event DNSConfigForming.
 * ClusterFirst without a cluster DNS address falls back to the host's, and says so.
 */
export function podDns(pod: Pod, host: DnsConfig, cluster: { servers: readonly string[]; domain: string }): { dns: DnsConfig; problems: string[] } {
  const problems: string[] = []
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  const clusterFirst = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork)
  let dns: DnsConfig = { servers: [...host.servers], searches: [...host.searches], options: [...host.options] }
  if (policy === 'None') dns = { servers: [], searches: [], options: [] }
  else if (clusterFirst && cluster.servers.length > 0) {
    const ns = pod.metadata.namespace ?? ''
    const own = cluster.domain ? [`${ns}.svc.${cluster.domain}`, `svc.${cluster.domain}`, cluster.domain] : []
    dns = { servers: [...cluster.servers], searches: unique([...own, ...host.searches]), options: ['ndots:5'] }
  } else if (clusterFirst) {
    problems.push(`kubelet does not have ClusterDNS IP configured and cannot create Pod using "${policy}" policy. Falling back to "Default" policy.`)
  }
  const extra = pod.spec.dnsConfig
  if (extra) {
    dns.servers = unique([...dns.servers, ...(extra.nameservers ?? [])])
    dns.searches = unique([...dns.searches, ...(extra.searches ?? [])])
    dns.options = mergeOptions(dns.options, extra.options ?? [])
  }
  return { dns: limit(dns, problems), problems }
}

function mergeOptions(base: string[], extra: readonly { name?: string; value?: string }[]): string[] {
  const options = new Map<string, string | undefined>()
  for (const option of base) {
    const [name = '', ...value] = option.split(':')
    options.set(name, value.length > 0 ? value.join(':') : undefined)
  }
  for (const { name, value } of extra) if (name) options.set(name, value)
  return [...options].map(([name, value]) => (value === undefined || value === '' ? name : `${name}:${value}`))
}

function limit(dns: DnsConfig, problems: string[]): DnsConfig {
  const servers = dns.servers.slice(0, maxServers)
  if (servers.length < dns.servers.length)
    problems.push(`Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(' ')}`)
  let searches = dns.searches.slice(0, maxSearches)
  while (searches.join(' ').length > maxSearchLength) searches = searches.slice(0, -1)
  if (searches.length < dns.searches.length)
    problems.push(`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${searches.join(' ')}`)
  return { servers, searches, options: dns.options }
}
