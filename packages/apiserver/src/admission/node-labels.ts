/** Labels under kubernetes.io and k8s.io that a kubelet may set on its own node. */
const allowed = new Set([
  'kubernetes.io/hostname', 'kubernetes.io/os', 'kubernetes.io/arch', 'beta.kubernetes.io/os', 'beta.kubernetes.io/arch',
  'topology.kubernetes.io/zone', 'topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type', 'beta.kubernetes.io/instance-type',
])
const allowedDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const reservedDomains = ['kubernetes.io', 'k8s.io']

/** The labels, sorted, that differ and that a node may not change on itself. */
export function changedForbiddenLabels(now: Record<string, string> | undefined, old: Record<string, string> | undefined): string[] {
  const keys = new Set([...Object.keys(now ?? {}), ...Object.keys(old ?? {})])
  return [...keys].filter((key) => now?.[key] !== old?.[key] && isForbidden(key)).sort()
}

function isForbidden(key: string): boolean {
  const slash = key.indexOf('/')
  if (slash < 0) return false
  const domain = key.slice(0, slash)
  const under = (d: string): boolean => domain === d || domain.endsWith(`.${d}`)
  if (under('node-restriction.kubernetes.io')) return true
  return reservedDomains.some(under) && !allowed.has(key) && !allowedDomains.some(under)
}
