import { apps } from '@berth/api'
import type { StatefulSet } from '@berth/api/types/apps/v1'
import type { PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import { controllerReference } from '../common/owners.ts'

export const revisionLabel = 'controller-revision-hash'
const nameLabel = 'statefulset.kubernetes.io/pod-name'
const indexLabel = 'apps.kubernetes.io/pod-index'

export function startOrdinal(set: StatefulSet): number {
  return set.spec.ordinals?.start ?? 0
}

/** The set's name and the ordinal that a pod's name says; undefined where it says none. */
export function parentAndOrdinal(pod: Pod): { parent: string; ordinal: number } | undefined {
  const [, parent, digits] = /^(.*)-(\d+)$/.exec(pod.metadata.name) ?? []
  return parent === undefined || digits === undefined ? undefined : { parent, ordinal: Number(digits) }
}

export function ordinalOf(pod: Pod): number {
  return parentAndOrdinal(pod)?.ordinal ?? -1
}

export function isMember(set: StatefulSet, pod: Pod): boolean {
  return parentAndOrdinal(pod)?.parent === set.metadata.name
}

/** Whether the pod's ordinal is one that the set wants. */
export function inRange(set: StatefulSet, pod: Pod): boolean {
  const ordinal = ordinalOf(pod)
  return ordinal >= startOrdinal(set) && ordinal < startOrdinal(set) + (set.spec.replicas ?? 1)
}

export function revisionOf(pod: Pod): string {
  return pod.metadata.labels?.[revisionLabel] ?? ''
}

/** The pod of an ordinal, from the template that `set` has, marked with the revision's name. */
export function podFor(set: StatefulSet, ordinal: number, revision: string): Pod {
  const { name, namespace } = set.metadata
  const { metadata: meta, spec = { containers: [] } } = structuredClone(set.spec.template)
  const podName = `${name}-${ordinal}`
  return withStorage(set, withIdentity({
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name: podName, namespace, labels: { ...meta?.labels, [revisionLabel]: revision },
      ...(meta?.annotations === undefined ? {} : { annotations: meta.annotations }), ...(meta?.finalizers === undefined ? {} : { finalizers: meta.finalizers }),
      ownerReferences: [controllerReference(set, apps.statefulsets)],
    },
    spec: { ...spec, hostname: podName, ...(set.spec.serviceName === undefined || set.spec.serviceName === '' ? {} : { subdomain: set.spec.serviceName }) },
  }))
}

/** The pod with the labels that say who it is. */
export function withIdentity(pod: Pod): Pod {
  const labels = { ...pod.metadata.labels, [nameLabel]: pod.metadata.name, [indexLabel]: String(ordinalOf(pod)) }
  return { ...pod, metadata: { ...pod.metadata, labels } }
}

export function hasIdentity(pod: Pod): boolean {
  const labels = pod.metadata.labels ?? {}
  return labels[nameLabel] === pod.metadata.name && labels[indexLabel] === String(ordinalOf(pod))
}

/** The pod with a volume of each claim template, instead of those of the same names. */
export function withStorage(set: StatefulSet, pod: Pod): Pod {
  const volumes: Volume[] = claimsOf(set, ordinalOf(pod)).map(({ volume, claim }) => ({ name: volume, persistentVolumeClaim: { claimName: claim.metadata.name, readOnly: false } }))
  const names = new Set(volumes.map((volume) => volume.name))
  const others = (pod.spec.volumes ?? []).filter((volume) => !names.has(volume.name))
  return volumes.length === 0 ? pod : { ...pod, spec: { ...pod.spec, volumes: [...volumes, ...others] } }
}

export function hasStorage(set: StatefulSet, pod: Pod): boolean {
  return claimsOf(set, ordinalOf(pod)).every(({ volume, claim }) => pod.spec.volumes?.find((each) => each.name === volume)?.persistentVolumeClaim?.claimName === claim.metadata.name)
}

/** The claims of an ordinal, each with its template's name, which is the volume's. */
export function claimsOf(set: StatefulSet, ordinal: number): { volume: string; claim: PersistentVolumeClaim }[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => {
    const { metadata, spec } = structuredClone(template)
    const labels = { ...metadata.labels, ...set.spec.selector.matchLabels }
    const name = `${metadata.name}-${set.metadata.name}-${ordinal}`
    return { volume: metadata.name, claim: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { ...metadata, name, namespace: set.metadata.namespace, labels }, spec } }
  })
}
