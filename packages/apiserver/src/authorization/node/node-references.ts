import { core, storage } from '@berth/api'
import type { Container, EphemeralContainer, PersistentVolume, Pod } from '@berth/api/types/core/v1'
import type { VolumeAttachment } from '@berth/api/types/storage/v1'
import type { ResourceStore } from '../../interfaces.ts'

/** Kinds whose objects a node may read because a pod on it refers to them. */
export type ReferencedKind = 'secret' | 'configmap' | 'persistentvolumeclaim' | 'persistentvolume' | 'volumeattachment' | 'serviceaccount' | 'pod'

/**
 * Which objects the pods bound to a node refer to, and the volumes behind their claims. Counted for each node, so that an object stays readable as long as any pod of the node needs it.
 * Mirror pods count for nothing: a node could otherwise give itself access by making one.
 */
export class NodeReferences {
  readonly #counts = new Map<string, Map<string, number>>()
  /** The claim that a volume is bound to, and the volumes that need a secret, by their keys. */
  readonly #claims = new Map<string, string>()
  readonly #volumesOfSecrets = new Map<string, Set<string>>()
  /** The node that a volume is attached to. */
  readonly #attachments = new Map<string, string>()

  add(pod: Pod): void {
    this.#count(pod, 1)
  }

  remove(pod: Pod): void {
    this.#count(pod, -1)
  }

  setVolume(volume: PersistentVolume): void {
    this.removeVolume(volume)
    const { name } = volume.metadata
    const { claimRef } = volume.spec
    if (!claimRef) return
    this.#claims.set(name, `persistentvolumeclaim/${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`)
    for (const key of secretsOf(volume)) {
      const volumes = this.#volumesOfSecrets.get(key) ?? new Set()
      volumes.add(name)
      this.#volumesOfSecrets.set(key, volumes)
    }
  }

  removeVolume({ metadata: { name } }: PersistentVolume): void {
    if (!this.#claims.delete(name)) return
    for (const [key, volumes] of this.#volumesOfSecrets) if (volumes.delete(name) && volumes.size === 0) this.#volumesOfSecrets.delete(key)
  }

  setAttachment({ metadata: { name }, spec }: VolumeAttachment): void {
    this.#attachments.set(name, spec.nodeName)
  }

  removeAttachment({ metadata: { name } }: VolumeAttachment): void {
    this.#attachments.delete(name)
  }

  /** Whether a pod on the node refers to the object (or is it), by a claim and its volume too. */
  has(node: string, kind: ReferencedKind, namespace: string, name: string): boolean {
    if (kind === 'persistentvolume') return this.#counts.get(this.#claims.get(name) ?? '')?.has(node) ?? false
    if (kind === 'volumeattachment') return this.#attachments.get(name) === node
    const key = `${kind}/${namespace}/${name}`
    if (this.#counts.get(key)?.has(node)) return true
    return [...this.#volumesOfSecrets.get(key) ?? []].some((volume) => this.has(node, 'persistentvolume', '', volume))
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
  store.onChange(core.persistentvolumes, (type, volume) => {
    if (type === 'DELETED') references.removeVolume(volume)
    else references.setVolume(volume)
  })
  store.onChange(storage.volumeattachments, (type, attachment) => {
    if (type === 'DELETED') references.removeAttachment(attachment)
    else references.setAttachment(attachment)
  })
  return references
}

/** `secret/namespace/name` of what a node needs to mount a volume; secrets without a namespace are in the claim's. */
function secretsOf({ spec }: PersistentVolume): string[] {
  const found: string[] = []
  const add = (name: string | undefined, namespace = spec.claimRef?.namespace ?? ''): void => {
    if (name) found.push(`secret/${namespace}/${name}`)
  }
  const refs = [spec.csi?.nodePublishSecretRef, spec.csi?.nodeStageSecretRef, spec.csi?.nodeExpandSecretRef, spec.flexVolume?.secretRef, spec.cephfs?.secretRef, spec.rbd?.secretRef, spec.iscsi?.secretRef, spec.scaleIO?.secretRef, spec.storageos?.secretRef]
  for (const ref of refs) add(ref?.name, ref?.namespace)
  add(spec.azureFile?.secretName, spec.azureFile?.secretNamespace)
  return found
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
