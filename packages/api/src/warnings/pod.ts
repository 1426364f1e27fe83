/** What a stock API server warns of in a pod or pod template: it works, but not as its author may think, or not for long. */
import type { Affinity, Container, ContainerPort, NodeSelectorTerm, PodSpec, Volume } from '../types/core/v1.ts'
import { tryParseQuantity } from '../quantity/index.ts'
import { deprecatedLabelMessage } from './labels.ts'

export interface PodLike {
  metadata?: { annotations?: Record<string, string> }
  spec?: PodSpec
}

const deprecatedAnnotations: Record<string, string> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}
const deprecatedVolumes: ReadonlyArray<[keyof Volume, string]> = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'], ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'], ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'], ['storageos', 'deprecated in v1.22, non-functional in v1.25+'], ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'], ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'], ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/'
const seccompMessage = 'non-functional in v1.27+; use the "seccompProfile" field instead'
const nullSelector = 'a null labelSelector results in matching no pod'

/** The warnings of a pod, or of the template at `at` (`spec.template`). */
export function podWarnings(pod: PodLike, at = ''): string[] {
  const prefix = at === '' ? '' : `${at}.`
  const spec: Partial<PodSpec> = pod.spec ?? {}
  const annotations = pod.metadata?.annotations ?? {}
  const annotation = (key: string, message: string): string[] => (Object.hasOwn(annotations, key) ? [`${prefix}metadata.annotations[${key}]: ${message}`] : [])
  const containers = containersOf(spec, `${prefix}spec`)
  return [
    ...nodeLabels(spec, `${prefix}spec`),
    ...Object.entries(deprecatedAnnotations).flatMap(([key, message]) => annotation(key, message)),
    ...(spec.volumes ?? []).flatMap((volume, i) => deprecatedVolumes.filter(([name]) => volume[name] !== undefined).map(([name, message]) => `${prefix}spec.volumes[${i}].${name === 'storageos' ? 'storageOS' : name}: ${message}`)),
    ...tokenPaths(spec.volumes ?? [], `${prefix}spec.volumes`),
    ...duplicates(spec.hostAliases ?? [], (a) => a.ip, (i, ip) => `${prefix}spec.hostAliases[${i}].ip: duplicate ip ${JSON.stringify(ip)}`),
    ...duplicates(spec.imagePullSecrets ?? [], (s) => s.name ?? '', (i, name) => `${prefix}spec.imagePullSecrets[${i}].name: duplicate name ${JSON.stringify(name)}`),
    ...(spec.imagePullSecrets ?? []).flatMap((s, i) => (s.name ? [] : [`${prefix}spec.imagePullSecrets[${i}].name: invalid empty name ""`])),
    ...fractions(spec.overhead, `${prefix}spec.overhead`, ['memory', 'ephemeral-storage']),
    ...(spec.securityContext?.seccompProfile ? [] : annotation(seccompPod, seccompMessage)),
    ...containers.flatMap(({ container, path }) => [
      ...(container.securityContext?.seccompProfile ? [] : annotation(seccompContainer + container.name, seccompMessage)),
      ...(at === '' || spec.securityContext?.appArmorProfile || container.securityContext?.appArmorProfile ? []
        : annotation(`container.apparmor.security.beta.kubernetes.io/${container.name}`, 'deprecated since v1.30; use the "appArmorProfile" field instead')),
      ...['memory', 'ephemeral-storage'].flatMap((resource) => [
        ...fractions(container.resources?.limits, `${path}.resources.limits`, [resource]), ...fractions(container.resources?.requests, `${path}.resources.requests`, [resource]),
      ]),
      ...hiddenVariables(container, path),
    ]),
    ...ports(containers),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0 ? [`${prefix}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`] : []),
    ...affinitySelectors(spec.affinity, `${prefix}spec.affinity`),
  ]
}

interface Placed { container: Container; path: string }

function containersOf(spec: Partial<PodSpec>, at: string): Placed[] {
  const place = (list: readonly Container[] | undefined, name: string): Placed[] => (list ?? []).map((container, i) => ({ container, path: `${at}.${name}[${i}]` }))
  return [...place(spec.initContainers, 'initContainers'), ...place(spec.containers, 'containers'), ...place(spec.ephemeralContainers as Container[] | undefined, 'ephemeralContainers')]
}

function nodeLabels(spec: Partial<PodSpec>, at: string): string[] {
  const terms = (list: readonly NodeSelectorTerm[], path: (i: number) => string): string[] => list.flatMap((term, i) => (term.matchExpressions ?? []).flatMap((e, j) => {
    const message = deprecatedLabelMessage(e.key)
    return message === undefined ? [] : [`${path(i)}.matchExpressions[${j}].key: ${e.key} is ${message}`]
  }))
  const node = spec.affinity?.nodeAffinity
  const path = `${at}.affinity.nodeAffinity`
  return [
    ...Object.keys(spec.nodeSelector ?? {}).sort().flatMap((key) => (deprecatedLabelMessage(key) === undefined ? [] : [`${at}.nodeSelector[${key}]: ${deprecatedLabelMessage(key)}`])),
    ...terms(node?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [], (i) => `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`),
    ...terms((node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => p.preference), (i) => `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`),
    ...(spec.topologySpreadConstraints ?? []).flatMap((c, i) => [
      ...(deprecatedLabelMessage(c.topologyKey) === undefined ? [] : [`${at}.topologySpreadConstraints[${i}].topologyKey: ${c.topologyKey} is ${deprecatedLabelMessage(c.topologyKey)}`]),
      ...(c.labelSelector ? [] : [`${at}.topologySpreadConstraints[${i}].labelSelector: ${nullSelector}`]),
    ]),
  ]
}

/** Files of a projected volume that fall on a service account token's. */
function tokenPaths(volumes: readonly Volume[], at: string): string[] {
  const sources = volumes.map((v) => v.projected?.sources ?? [])
  const tokens = new Set(sources.flat().flatMap((s) => (s.serviceAccountToken ? [s.serviceAccountToken.path] : [])))
  if (tokens.size === 0) return []
  return sources.flatMap((list, i) => list.flatMap((source) => {
    const items = (list: ReadonlyArray<{ path: string }> | undefined, name: string): string[] =>
      (list ?? []).flatMap((item, j) => (tokens.has(item.path) ? [`${at}[${i}].projected.sources.${name}[${j}]: has duplicated path with ServiceAccountToken ${JSON.stringify(item.path)}`] : []))
    const bundle = source.clusterTrustBundle
    return [
      ...items(source.configMap?.items, 'configMap'), ...items(source.secret?.items, 'secrets'), ...items(source.downwardAPI?.items, 'downwardAPI'),
      ...(bundle && tokens.has(bundle.path) ? [`${at}[${i}].projected.sources.ClusterTrustBundle: has duplicated path with ServiceAccountToken ${JSON.stringify(bundle.path)}`] : []),
    ]
  }))
}

function duplicates<T>(list: readonly T[], key: (item: T) => string, message: (index: number, key: string) => string): string[] {
  const seen = new Set<string>()
  return list.flatMap((item, i) => {
    const k = key(item)
    if (seen.has(k)) return [message(i, k)]
    seen.add(k)
    return []
  })
}

function fractions(resources: Record<string, string> | undefined, at: string, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const quantity = tryParseQuantity(resources?.[name])
    return quantity && quantity.milliValue() % 1000n !== 0n ? [`${at}[${name}]: fractional byte value ${JSON.stringify(quantity.toString())} is invalid, must be an integer`] : []
  })
}

/** Variables set twice are fine only where the later one builds on the earlier, `X=$(X):more`. */
function hiddenVariables(container: Container, path: string): string[] {
  const seen = new Set<string>()
  return (container.env ?? []).flatMap((variable, i) => {
    const { name, value = '', valueFrom } = variable
    const reference = `$(${name})`
    const hides = seen.has(name) && (valueFrom !== undefined || value === reference || !value.includes(reference))
    seen.add(name)
    return hides ? [`${path}.env[${i}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`] : []
  })
}

function ports(containers: readonly Placed[]): string[] {
  const known = new Map<string, Array<{ path: string; port: ContainerPort }>>()
  const out: string[] = []
  for (const { container, path } of containers) {
    for (const [i, port] of (container.ports ?? []).entries()) {
      const at = `${path}.ports[${i}]`
      const { hostIP = '', hostPort = 0 } = port
      if (hostIP !== '' && hostPort === 0) out.push(`${at}: hostIP set without hostPort: {Name:${port.name ?? ''} HostPort:0 ContainerPort:${port.containerPort} Protocol:${port.protocol ?? ''} HostIP:${hostIP}}`)
      const key = `${port.containerPort}/${port.protocol ?? ''}`
      const others = known.get(key) ?? []
      for (const other of others) {
        const { hostIP: otherIp = '', hostPort: otherPort = 0 } = other.port
        if (hostIP === otherIp && hostPort === otherPort) out.push(`${at}: duplicate port definition with ${other.path}`)
        else if (hostPort === 0 || otherPort === 0) out.push(`${at}: overlapping port definition with ${other.path}`)
        else if (hostPort === otherPort && (hostIP === '') !== (otherIp === '')) out.push(`${at}: dangerously ambiguous port definition with ${other.path}`)
      }
      known.set(key, [...others, { path: at, port }])
    }
  }
  return out
}

function affinitySelectors(affinity: Affinity | undefined, at: string): string[] {
  return (['podAffinity', 'podAntiAffinity'] as const).flatMap((kind) => [
    ...(affinity?.[kind]?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((t, i) => (t.labelSelector ? [] : [`${at}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${i}].labelSelector: ${nullSelector}`])),
    ...(affinity?.[kind]?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((t, i) =>
      (t.podAffinityTerm.labelSelector ? [] : [`${at}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm.labelSelector: ${nullSelector}`])),
  ])
}
