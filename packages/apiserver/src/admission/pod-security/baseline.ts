import { type Check, type Checked, containersOf, containersThat, distinctSorted, named, quoted, violationBy } from './check.ts'

const capabilities = new Set([
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT',
])
const sysctls = new Set([
  'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem',
])
const seLinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])
const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/'

/** The checks of the baseline level. Adding one is an element here. */
export const baselineChecks: readonly Check[] = [
  { id: 'appArmorProfile', check: appArmor },
  {
    id: 'capabilities_baseline',
    check(pod) {
      const added = (c: { securityContext?: { capabilities?: { add?: string[] } } }): string[] => (c.securityContext?.capabilities?.add ?? []).filter((a) => !capabilities.has(a))
      const bad = distinctSorted(containersOf(pod.spec).flatMap(added))
      return violationBy('non-default capabilities', containersThat(pod, (c) => added(c).length > 0), `must not include ${quoted(bad)} in securityContext.capabilities.add`)
    },
  },
  {
    id: 'hostNamespaces',
    check({ spec }) {
      const used = [spec.hostNetwork ? 'hostNetwork=true' : '', spec.hostPID ? 'hostPID=true' : '', spec.hostIPC ? 'hostIPC=true' : ''].filter((u) => u !== '')
      return used.length === 0 ? undefined : { reason: 'host namespaces', detail: used.join(', ') }
    },
  },
  {
    id: 'hostPathVolumes',
    check({ spec }) {
      const bad = (spec.volumes ?? []).filter((v) => v.hostPath).map((v) => v.name)
      return bad.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named('volume', bad) }
    },
  },
  { id: 'hostPorts', check: hostPorts },
  { id: 'hostProbesAndHostLifecycle', check: hostHandlers },
  { id: 'privileged', check: (pod) => violationBy('privileged', containersThat(pod, (c) => c.securityContext?.privileged === true), 'must not set securityContext.privileged=true') },
  {
    id: 'procMount',
    check(pod) {
      if (pod.spec.hostUsers === false) return undefined
      const other = (c: { securityContext?: { procMount?: string } }): string[] => (c.securityContext?.procMount && c.securityContext.procMount !== 'Default' ? [c.securityContext.procMount] : [])
      return violationBy('procMount', containersThat(pod, (c) => other(c).length > 0), `must not set securityContext.procMount to ${quoted(distinctSorted(containersOf(pod.spec).flatMap(other)))}`)
    },
  },
  { id: 'seLinuxOptions', check: seLinux },
  { id: 'seccompProfile_baseline', check: unconfinedSeccomp },
  {
    id: 'sysctls',
    check({ spec }) {
      const bad = (spec.securityContext?.sysctls ?? []).map((s) => s.name).filter((n) => !sysctls.has(n))
      return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
    },
  },
  {
    id: 'windowsHostProcess',
    check(pod) {
      const containers = containersThat(pod, (c) => c.securityContext?.windowsOptions?.hostProcess === true)
      const setters = [...(pod.spec.securityContext?.windowsOptions?.hostProcess ? ['pod'] : []), ...(containers.length > 0 ? [named('container', containers)] : [])]
      return setters.length === 0 ? undefined : { reason: 'hostProcess', detail: `${setters.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true` }
    },
  },
]

function hostPorts(pod: Checked): ReturnType<Check['check']> {
  const bad = containersThat(pod, (c) => (c.ports ?? []).some((p) => (p.hostPort ?? 0) !== 0))
  if (bad.length === 0) return undefined
  const ports = distinctSorted(containersOf(pod.spec).flatMap((c) => (c.ports ?? []).filter((p) => (p.hostPort ?? 0) !== 0).map((p) => String(p.hostPort))))
  const word = `hostPort${ports.length === 1 ? '' : 's'}`
  return { reason: word, detail: `${named('container', bad)} ${bad.length === 1 ? 'uses' : 'use'} ${word} ${ports.join(', ')}` }
}

/** Probes and hooks of the node's own network, through a `host` of theirs. */
function hostHandlers(pod: Checked): ReturnType<Check['check']> {
  const hosts = (c: ReturnType<typeof containersOf>[number]): string[] => [c.livenessProbe, c.readinessProbe, c.startupProbe, c.lifecycle?.postStart, c.lifecycle?.preStop]
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host]).filter((h): h is string => h !== undefined && h !== '' && h !== '127.0.0.1' && h !== '::1')
  const bad = containersThat(pod, (c) => hosts(c).length > 0)
  if (bad.length === 0) return undefined
  const found = distinctSorted(containersOf(pod.spec).flatMap(hosts))
  return { reason: 'probe or lifecycle host', detail: `${named('container', bad)} ${bad.length === 1 ? 'uses' : 'use'} probe or lifecycle host${found.length === 1 ? '' : 's'} ${found.join(', ')}` }
}

function appArmor(pod: Checked): ReturnType<Check['check']> {
  const allowed = (type: string | undefined): boolean => type === undefined || type === 'RuntimeDefault' || type === 'Localhost'
  const podType = pod.spec.securityContext?.appArmorProfile?.type
  const containers = containersThat(pod, (c) => !allowed(c.securityContext?.appArmorProfile?.type))
  const types = [podType, ...containersOf(pod.spec).map((c) => c.securityContext?.appArmorProfile?.type)].flatMap((t) => (t === undefined || allowed(t) ? [] : [t]))
  const annotations = Object.entries(pod.metadata.annotations ?? {}).filter(([k, v]) => k.startsWith(appArmorAnnotation) && v !== '' && v !== 'runtime/default' && !v.startsWith('localhost/'))
    .map(([k, v]) => `${k}=${JSON.stringify(v)}`).sort()
  if (types.length === 0 && annotations.length === 0) return undefined
  const setters = [...(allowed(podType) ? [] : ['pod']), ...(containers.length > 0 ? [named('container', containers)] : [])]
  const values = distinctSorted(types)
  const details = [...annotations, ...(setters.length > 0 ? [`${setters.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`] : [])]
  const reason = `forbidden AppArmor profile${values.length + annotations.length === 1 ? '' : 's'}`
  return { reason, detail: details.join(', ') }
}

function seLinux(pod: Checked): ReturnType<Check['check']> {
  const contexts = [pod.spec.securityContext?.seLinuxOptions, ...containersOf(pod.spec).map((c) => c.securityContext?.seLinuxOptions)]
  const types = distinctSorted(contexts.flatMap((o) => (o?.type && !seLinuxTypes.has(o.type) ? [o.type] : [])))
  const bad = (o: { type?: string, user?: string, role?: string } | undefined): boolean => o !== undefined && (!seLinuxTypes.has(o.type ?? '') || (o.user ?? '') !== '' || (o.role ?? '') !== '')
  const containers = containersThat(pod, (c) => bad(c.securityContext?.seLinuxOptions))
  const setters = [...(bad(contexts[0]) ? ['pod'] : []), ...(containers.length > 0 ? [named('container', containers)] : [])]
  if (setters.length === 0) return undefined
  const data = [
    ...(types.length > 0 ? [`type${types.length === 1 ? '' : 's'} ${quoted(types)}`] : []),
    ...(contexts.some((o) => o?.user) ? ['user may not be set'] : []), ...(contexts.some((o) => o?.role) ? ['role may not be set'] : []),
  ]
  return { reason: 'seLinuxOptions', detail: `${setters.join(' and ')} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}` }
}

/** Seccomp turned off, by name. */
export function unconfinedSeccomp(pod: Checked): ReturnType<Check['check']> {
  const allowed = (type: string | undefined): boolean => type === undefined || type === 'RuntimeDefault' || type === 'Localhost'
  const podType = pod.spec.securityContext?.seccompProfile?.type
  const containers = containersThat(pod, (c) => !allowed(c.securityContext?.seccompProfile?.type))
  const setters = [...(allowed(podType) ? [] : ['pod']), ...(containers.length > 0 ? [named('container', containers)] : [])]
  if (setters.length === 0) return undefined
  const types = distinctSorted([podType, ...containersOf(pod.spec).map((c) => c.securityContext?.seccompProfile?.type)].flatMap((t) => (t === undefined || allowed(t) ? [] : [t])))
  return { reason: 'seccompProfile', detail: `${setters.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(types)}` }
}
