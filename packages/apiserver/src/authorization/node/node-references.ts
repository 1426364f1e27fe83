import { core } from '@berth/api'
import type { Container, EphemeralContainer, Pod } from '@berth/api/types/core/v1'
import type { ResourceStore } from '../../interfaces.ts'

/** Kinds whose objects a node may read because a pod on it refers to them. */
export type ReferencedKind = 'secret' | 'configmap' | 'persistentvolumeclaim' | 'serviceaccount' | 'pod'

/**
 * Which objects the pods bound to a node refer to. Counted for each node, so that an object stays readable as long as any pod of the node needs it.
 * Mirror pods count for nothing: a node could otherwise give itself access by making one.
 */
export class NodeReferences {
  readonly #counts = new Map<string, Map<string, number>>()

  add(pod: Pod): void {
    this.#count(pod, 1)
  }

  remove(pod: Pod): void {
    this.#count(pod, -1)
  }

  /** Whether a pod on the node refers to the object (or is it). */
  has(node: string, kind: ReferencedKind, namespace: string, name: string): boolean {
    return this.#counts.get(`${kind}/${namespace}/${name}`)?.has(node) ?? false
  }

  #count(pod: Pod, by: number): void {
    const node = pod.spec?.nodeName
    if (!node) return
    for (const key of referencesOf(pod)) {
      const nodes = this.#counts.get(key) ?? new Map<string, number>()
      const count = (nodes.get(node) ?? 0) + by
      if (count > 0) nodes.set(node, count)
      else nodes.delete(node)
      if (nodes.size > 0) this.#counts.set(key, nodes)
      else this.#counts.delete(key)
    }
  }
}

/** Fills the references from the registry's pods and keeps them in step. */
export function watchNodeReferences(store: ResourceStore): NodeReferences {
  const references = new NodeReferences()
  store.onChange(core.pods, (type, pod, old) => {
    if (type === 'DELETED') {
      references.remove(old ?? pod)
      return
    }
    if (old) references.remove(old)
    references.add(pod)
  })
  return references
}

/** `kind/namespace/name` of everything a pod lets its node read, each once. */
export function referencesOf(pod: Pod): Set<string> {
  const namespace = pod.metadata.namespace ?? ''
  const found = new Set<string>([`pod/${namespace}/${pod.metadata.name}`])
  const spec = pod.spec
  if (!spec || pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return found
  const add = (kind: ReferencedKind, name: string | undefined): void => {
    if (name) found.add(`${kind}/${namespace}/${name}`)
  }
  add('serviceaccount', spec.serviceAccountName)
  for (const secret of spec.imagePullSecrets ?? []) add('secret', secret.name)
  const containers: (Container | EphemeralContainer)[] = [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])]
  for (const container of containers) {
    for (const source of container.envFrom ?? []) {
      add('secret', source.secretRef?.name)
      add('configmap', source.configMapRef?.name)
    }
    for (const variable of container.env ?? []) {
      add('secret', variable.valueFrom?.secretKeyRef?.name)
      add('configmap', variable.valueFrom?.configMapKeyRef?.name)
    }
  }
  for (const volume of spec.volumes ?? []) {
    add('secret', volume.secret?.secretName)
    add('configmap', volume.configMap?.name)
    add('persistentvolumeclaim', volume.persistentVolumeClaim?.claimName)
    if (volume.ephemeral) add('persistentvolumeclaim', `${pod.metadata.name}-${volume.name}`)
    for (const source of volume.projected?.sources ?? []) {
      add('secret', source.secret?.name)
      add('configmap', source.configMap?.name)
    }
    for (const ref of [volume.csi?.nodePublishSecretRef, volume.flexVolume?.secretRef, volume.cephfs?.secretRef, volume.rbd?.secretRef, volume.iscsi?.secretRef, volume.scaleIO?.secretRef, volume.storageos?.secretRef]) add('secret', ref?.name)
    add('secret', volume.azureFile?.secretName)
  }
  return found
}
