import { unconfinedSeccomp } from './baseline.ts'
import { type Check, type Checked, containersOf, containersThat, distinctSorted, isWindows, named, quoted, violationBy } from './check.ts'
import type { Volume } from './types.ts'

const volumeTypes = new Set(['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'])

/** The checks of the restricted level beyond baseline. Adding one is an element here. */
export const restrictedChecks: readonly Check[] = [
  {
    id: 'allowPrivilegeEscalation',
    check: (pod) => (isWindows(pod) ? undefined : violationBy('allowPrivilegeEscalation != false', containersThat(pod, (c) => c.securityContext?.allowPrivilegeEscalation !== false), 'must set securityContext.allowPrivilegeEscalation=false')),
  },
  { id: 'capabilities_restricted', replaces: 'capabilities_baseline', check: capabilities },
  { id: 'restrictedVolumes', replaces: 'hostPathVolumes', check: volumes },
  { id: 'runAsNonRoot', check: runAsNonRoot },
  {
    id: 'runAsUser',
    check(pod) {
      if (pod.spec.hostUsers === false) return undefined
      const containers = containersThat(pod, (c) => c.securityContext?.runAsUser === 0)
      const setters = [...(pod.spec.securityContext?.runAsUser === 0 ? ['pod'] : []), ...(containers.length > 0 ? [named('container', containers)] : [])]
      return setters.length === 0 ? undefined : { reason: 'runAsUser=0', detail: `${setters.join(' and ')} must not set runAsUser=0` }
    },
  },
  { id: 'seccompProfile_restricted', replaces: 'seccompProfile_baseline', check: seccomp },
]

function capabilities(pod: Checked): ReturnType<Check['check']> {
  if (isWindows(pod)) return undefined
  const missing = containersThat(pod, (c) => !c.securityContext?.capabilities?.drop?.includes('ALL'))
  const added = (c: { securityContext?: { capabilities?: { add?: string[] } } }): string[] => (c.securityContext?.capabilities?.add ?? []).filter((a) => a !== 'NET_BIND_SERVICE')
  const adding = containersThat(pod, (c) => added(c).length > 0)
  const details = [
    ...(missing.length > 0 ? [`${named('container', missing)} must set securityContext.capabilities.drop=["ALL"]`] : []),
    ...(adding.length > 0 ? [`${named('container', adding)} must not include ${quoted(distinctSorted(containersOf(pod.spec).flatMap(added)))} in securityContext.capabilities.add`] : []),
  ]
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

function volumes({ spec }: Checked): ReturnType<Check['check']> {
  const typeOf = (volume: Volume): string => Object.keys(volume).find((key) => key !== 'name') ?? 'unknown'
  const bad = (spec.volumes ?? []).filter((v) => !volumeTypes.has(typeOf(v)))
  if (bad.length === 0) return undefined
  const types = distinctSorted(bad.map(typeOf))
  return { reason: 'restricted volume types', detail: `${named('volume', bad.map((v) => v.name))} ${bad.length === 1 ? 'uses' : 'use'} restricted volume type${types.length === 1 ? '' : 's'} ${quoted(types)}` }
}

function runAsNonRoot(pod: Checked): ReturnType<Check['check']> {
  if (pod.spec.hostUsers === false) return undefined
  const reason = 'runAsNonRoot != true'
  const podValue = pod.spec.securityContext?.runAsNonRoot
  const explicit = containersThat(pod, (c) => c.securityContext?.runAsNonRoot === false)
  // What the pod says holds only for containers that say nothing.
  const implicit = containersThat(pod, (c) => c.securityContext?.runAsNonRoot === undefined)
  const setters = [...(podValue === false ? ['pod'] : []), ...(explicit.length > 0 ? [named('container', explicit)] : [])]
  if (setters.length > 0) return { reason, detail: `${setters.join(' and ')} must not set securityContext.runAsNonRoot=false` }
  if (podValue === true || implicit.length === 0) return undefined
  return { reason, detail: `pod or ${named('container', implicit)} must set securityContext.runAsNonRoot=true` }
}

function seccomp(pod: Checked): ReturnType<Check['check']> {
  if (isWindows(pod)) return undefined
  const explicit = unconfinedSeccomp(pod)
  if (explicit) return explicit
  if (pod.spec.securityContext?.seccompProfile?.type !== undefined) return undefined
  const implicit = containersThat(pod, (c) => c.securityContext?.seccompProfile?.type === undefined)
  return implicit.length === 0 ? undefined : { reason: 'seccompProfile', detail: `pod or ${named('container', implicit)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"` }
}
