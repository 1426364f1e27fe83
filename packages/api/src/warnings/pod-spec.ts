import type { ContainerPort, NodeSelectorTerm, PodAffinityTerm, PodSpec, ResourceList, Volume } from '../types/core/v1.ts'
import type { ObjectMeta } from '../types/meta/v1.ts'
import { child, quantity } from '../validation/common.ts'
import { goQuote } from '../validation/field-errors.ts'
import { containersWithPaths } from '../validation/pod/context.ts'
import type { AnyContainer } from '../validation/pod/context.ts'

const renamedLabels: Readonly<Record<string, readonly [since: string, now: string]>> = {
  'beta.kubernetes.io/arch': ['v1.14', 'kubernetes.io/arch'],
  'beta.kubernetes.io/os': ['v1.14', 'kubernetes.io/os'],
  'failure-domain.beta.kubernetes.io/region': ['v1.17', 'topology.kubernetes.io/region'],
  'failure-domain.beta.kubernetes.io/zone': ['v1.17', 'topology.kubernetes.io/zone'],
  'beta.kubernetes.io/instance-type': ['v1.17', 'node.kubernetes.io/instance-type'],
}

/** What to say of a node label that has another name today. */
function renamed(label: string): string | undefined {
  const entry = Object.hasOwn(renamedLabels, label) ? renamedLabels[label] : undefined
  return entry && `deprecated since ${entry[0]}; use "${entry[1]}" instead`
}

const retiredAnnotations: readonly (readonly [string, string])[] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/'
const appArmorContainer = 'container.apparmor.security.beta.kubernetes.io/'
const useSeccompField = 'non-functional in v1.27+; use the "seccompProfile" field instead'

const retiredVolumes: readonly (readonly [keyof Volume, string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

/** Warnings about a pod (`at` is '') or a template (`at` is its path): what is allowed but does not do what its writer may think. */
export function podSpecWarnings(spec: PodSpec, meta: ObjectMeta | undefined, at: string): string[] {
  const field = child(at, 'spec')
  const annotations = meta?.annotations ?? {}
  const annotated = (key: string, text: string) => (annotations[key] === undefined ? [] : [`${child(at, 'metadata')}.annotations[${key}]: ${text}`])
  return [
    ...labelWarnings(spec, field),
    ...retiredAnnotations.flatMap(([key, text]) => annotated(key, text)),
    ...(spec.volumes ?? []).flatMap((volume, i) => retiredVolumes.filter(([name]) => volume[name] !== undefined).map(([name, text]) => `${field}.volumes[${i}].${name === 'storageos' ? 'storageOS' : name}: ${text}`)),
    ...repeats((spec.hostAliases ?? []).map(({ ip }) => ip ?? ''), (i, ip) => `${field}.hostAliases[${i}].ip: duplicate ip ${goQuote(ip)}`),
    ...repeats((spec.imagePullSecrets ?? []).map(({ name }) => name ?? ''), (i, name) => `${field}.imagePullSecrets[${i}].name: duplicate name ${goQuote(name)}`),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }, i) => (name ? [] : [`${field}.imagePullSecrets[${i}].name: invalid empty name ""`])),
    ...fractions(spec.overhead, `${field}.overhead`, ['memory', 'ephemeral-storage']),
    ...(spec.securityContext?.seccompProfile ? [] : annotated(seccompPod, useSeccompField)),
    ...containersWithPaths(spec, field).flatMap(({ container, path }) => [
      ...(container.securityContext?.seccompProfile ? [] : annotated(seccompContainer + container.name, useSeccompField)),
      ...(at === '' || spec.securityContext?.appArmorProfile || container.securityContext?.appArmorProfile
        ? [] : annotated(appArmorContainer + container.name, 'deprecated since v1.30; use the "appArmorProfile" field instead')),
      ...containerWarnings(container, path),
    ]),
    ...portWarnings(spec, field),
    ...((spec.terminationGracePeriodSeconds ?? 0) < 0 ? [`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1.`] : []),
  ]
}

function labelWarnings(spec: PodSpec, field: string): string[] {
  const say = (path: string, label: string, text = renamed(label)) => (text === undefined ? [] : [`${path}: ${text}`])
  const term = (path: string, selector: NodeSelectorTerm | undefined) => (selector?.matchExpressions ?? []).flatMap(({ key }, i) => {
    const text = renamed(key)
    return text === undefined ? [] : [`${path}.matchExpressions[${i}].key: ${key} is ${text}`]
  })
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {}
  const required = 'requiredDuringSchedulingIgnoredDuringExecution'
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution'
  const noSelector = (path: string, pod: PodAffinityTerm | undefined) => (pod && !pod.labelSelector ? [`${path}.labelSelector: a null labelSelector results in matching no pod`] : [])
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((label) => say(`${field}.nodeSelector[${label}]`, label)),
    ...(nodeAffinity?.[required]?.nodeSelectorTerms ?? []).flatMap((selector, i) => term(`${field}.affinity.nodeAffinity.${required}.nodeSelectorTerms[${i}]`, selector)),
    ...(nodeAffinity?.[preferred] ?? []).flatMap(({ preference }, i) => term(`${field}.affinity.nodeAffinity.${preferred}[${i}].preference`, preference)),
    ...([['podAffinity', podAffinity], ['podAntiAffinity', podAntiAffinity]] as const).flatMap(([name, affinity]) => [
      ...(affinity?.[required] ?? []).flatMap((pod, i) => noSelector(`${field}.affinity.${name}.${required}[${i}]`, pod)),
      ...(affinity?.[preferred] ?? []).flatMap(({ podAffinityTerm }, i) => noSelector(`${field}.affinity.${name}.${preferred}[${i}].podAffinityTerm`, podAffinityTerm)),
    ]),
    ...(spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, i) => {
      const path = `${field}.topologySpreadConstraints[${i}]`
      const text = renamed(topologyKey)
      return [...(text === undefined ? [] : [`${path}.topologyKey: ${topologyKey} is ${text}`]), ...(labelSelector ? [] : [`${path}.labelSelector: a null labelSelector results in matching no pod`])]
    }),
  ]
}

function repeats(items: readonly string[], say: (index: number, item: string) => string): string[] {
  return items.flatMap((item, i) => (items.indexOf(item) < i ? [say(i, item)] : []))
}

/** Bytes come whole. */
function fractions(list: ResourceList | undefined, path: string, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const amount = list?.[name]
    return amount === undefined || quantity(amount).milliValue() % 1000n === 0n ? [] : [`${path}[${name}]: fractional byte value ${goQuote(amount)} is invalid, must be an integer`]
  })
}

function containerWarnings(container: AnyContainer, path: string): string[] {
  const { limits, requests } = container.resources ?? {}
  const env = container.env ?? []
  const byteAmounts = ['memory', 'ephemeral-storage'].flatMap((name) => [...fractions(limits, `${path}.resources.limits`, [name]), ...fractions(requests, `${path}.resources.requests`, [name])])
  const hidden = env.flatMap(({ name, value = '', valueFrom }, i) => {
    const reference = `$(${name})`
    const builds = valueFrom === undefined && value !== reference && value.includes(reference)
    return env.findIndex((other) => other.name === name) < i && !builds ? [`${path}.env[${i}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`] : []
  })
  return [...byteAmounts, ...hidden]
}

/** Ports that two containers, or one twice, declare. */
function portWarnings(spec: PodSpec, field: string): string[] {
  const seen = new Map<string, { path: string; port: ContainerPort }[]>()
  return containersWithPaths(spec, field).flatMap(({ container, path }) => (container.ports ?? []).flatMap((port, i) => {
    const at = `${path}.ports[${i}]`
    const key = `${port.containerPort}/${port.protocol}`
    const others = seen.get(key) ?? []
    seen.set(key, [...others, { path: at, port }])
    return others.flatMap((other) => {
      const kind = overlap(port, other.port)
      return kind === undefined ? [] : [`${at}: ${kind} port definition with ${other.path}`]
    })
  }))
}

function overlap(a: ContainerPort, b: ContainerPort): string | undefined {
  const [ipA = '', ipB = '', portA = 0, portB = 0] = [a.hostIP, b.hostIP, a.hostPort, b.hostPort]
  if (ipA === ipB && portA === portB) return 'duplicate'
  if (portA === 0 || portB === 0) return 'overlapping'
  return portA === portB && (ipA === '') !== (ipB === '') ? 'dangerously ambiguous' : undefined
}
