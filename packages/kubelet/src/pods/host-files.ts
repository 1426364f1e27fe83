import type { HostAlias, Pod } from '@berth/api/types/core/v1'

const maxHostname = 63

/** A pod's host name and the domain below which its subdomain makes it known; empty where it has none. */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; domain: string } {
  if (pod.spec.hostnameOverride) return { hostname: pod.spec.hostnameOverride, domain: '' }
  let hostname = pod.spec.hostname || pod.metadata.name
  // A name longer than the kernel takes is cut, and must not end in a dash or dot.
  if (hostname.length > maxHostname) hostname = hostname.slice(0, maxHostname).replace(/[-.]+$/, '')
  const domain = pod.spec.subdomain ? `${pod.spec.subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}` : ''
  return { hostname, domain }
}

/** What the pod's UTS namespace is called: with `setHostnameAsFQDN` the whole name. Throws where that is longer than 64 characters. */
export function utsHostname(pod: Pod, clusterDomain: string): string {
  const { hostname, domain } = podHostname(pod, clusterDomain)
  if (!pod.spec.setHostnameAsFQDN || domain === '') return hostname
  const fqdn = `${hostname}.${domain}`
  if (fqdn.length > 64)
    throw new Error(`Failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, ${fqdn.length} characters requested).`)
  return fqdn
}

function aliasLines(aliases: readonly HostAlias[] | undefined): string {
  if (!aliases || aliases.length === 0) return ''
  return `\n# Entries added by HostAliases.\n${aliases.map((a) => `${a.ip}\t${(a.hostnames ?? []).join('\t')}\n`).join('')}`
}

/** The /etc/hosts that a pod's containers share. With the host's network it is the host's own file, and the aliases. */
export function hostsFile(pod: Pod, ips: readonly string[], clusterDomain: string, hostFile: string): string {
  if (pod.spec.hostNetwork) return `# Kubernetes-managed hosts file (host network).\n${hostFile}${aliasLines(pod.spec.hostAliases)}`
  const { hostname, domain } = podHostname(pod, clusterDomain)
  const names = domain ? `${hostname}.${domain}\t${hostname}` : hostname
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...ips.map((ip) => `${ip}\t${names}`),
    '',
  ].join('\n') + aliasLines(pod.spec.hostAliases)
}
