// Clusters for the tables of the storage plugins, in few words.
import { core, storage, type ResourceInfo } from '@berth/api'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment } from '@berth/api/types/storage/v1'
import { systemClock, type KubeClient } from '@berth/kube'
import { Cache } from '../../cache/cache.ts'
import { featureGates } from '../../config/feature-gates.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import type { Plugin } from '../../framework/plugin.ts'
import { podInfoOf, type PodInfo } from '../../framework/pod-info.ts'
import { resourceKey, type KubernetesObject } from '../../framework/resource-key.ts'
import type { PluginArgs, PluginContext } from '../registry.ts'

export interface StorageCluster {
  readonly nodes?: readonly Node[]
  readonly pods?: readonly Pod[]
  readonly claims?: readonly PersistentVolumeClaim[]
  readonly volumes?: readonly PersistentVolume[]
  readonly classes?: readonly StorageClass[]
  readonly csiNodes?: readonly CSINode[]
  readonly drivers?: readonly CSIDriver[]
  readonly capacities?: readonly CSIStorageCapacity[]
  readonly attachments?: readonly VolumeAttachment[]
}

export function setObject<T extends KubernetesObject>(cache: Cache, resource: ResourceInfo<T>, object: T): void {
  cache.apply({ type: 'object-set', resource: resourceKey(resource), object })
}

export function cacheOf(cluster: StorageCluster): Cache {
  const cache = new Cache()
  for (const node of cluster.nodes ?? [nodeOf('n1')]) cache.apply({ type: 'node-set', node })
  for (const pod of cluster.pods ?? []) cache.apply({ type: 'pod-set', pod })
  for (const object of cluster.claims ?? []) setObject(cache, core.persistentvolumeclaims, object)
  for (const object of cluster.volumes ?? []) setObject(cache, core.persistentvolumes, object)
  for (const object of cluster.classes ?? []) setObject(cache, storage.storageclasses, object)
  for (const object of cluster.csiNodes ?? []) setObject(cache, storage.csinodes, object)
  for (const object of cluster.drivers ?? []) setObject(cache, storage.csidrivers, object)
  for (const object of cluster.capacities ?? []) setObject(cache, storage.csistoragecapacities, object)
  for (const object of cluster.attachments ?? []) setObject(cache, storage.volumeattachments, object)
  return cache
}

export function contextOf(cache: Cache, more: { gates?: Record<string, boolean>; args?: PluginArgs; client?: KubeClient } = {}): PluginContext {
  return { args: more.args ?? {}, gates: featureGates(more.gates ?? {}), clock: systemClock, snapshot: () => cache, ...(more.client ? { client: more.client } : {}) }
}

/** What a plugin says: of the pod alone, or of each node, by name; `ok` where nothing. */
export function verdicts(plugin: Plugin, cache: Cache, pod: Pod): string | Record<string, string> {
  const info = podInfoOf(pod)
  const state = new CycleState()
  const first = plugin.preFilter?.(state, info, cache)?.status
  if (first?.code === 'Skip') return 'skip'
  if (first) return `${first.code}: ${first.reasons.join('; ')}`
  return Object.fromEntries(cache.nodes.map((node) => {
    const status = plugin.filter?.(state, info, node)
    return [node.name, status ? `${status.code}: ${status.reasons.join('; ')}` : 'ok']
  }))
}

/** Whether an event helps a pod that a plugin rejected; undefined where the plugin is not interested. */
export function hint(plugin: Plugin, event: string, pod: Pod, old: unknown, now: unknown): boolean | undefined {
  const interests = (plugin.events?.() ?? []).filter((interest) => interest.event === event)
  const info: PodInfo = podInfoOf(pod)
  return interests.length === 0 ? undefined : interests.some(({ helps }) => helps?.(info, { ...(old === undefined ? {} : { old }), ...(now === undefined ? {} : { now }) }) ?? true)
}

export const nodeOf = (name: string, labels: Record<string, string> = {}): Node => ({ metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec: {}, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '20' } } })

export const podOf = (name: string, volumes: readonly Volume[], nodeName?: string, namespace = 'ns'): Pod => ({
  metadata: { name, namespace, uid: `uid-${name}` },
  spec: { containers: [{ name: 'c', image: 'x' }], volumes: [...volumes], ...(nodeName === undefined ? {} : { nodeName }) },
})

export const claimVolume = (claimName: string): Volume => ({ name: `v-${claimName}`, persistentVolumeClaim: { claimName } })
export const ephemeralVolume = (name: string): Volume => ({ name, ephemeral: { volumeClaimTemplate: { spec: {} } } })

export const claimOf = (name: string, spec: Partial<PersistentVolumeClaim['spec']> = {}, metadata: Partial<PersistentVolumeClaim['metadata']> = {}): PersistentVolumeClaim => ({
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: '1', ...metadata },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'late', resources: { requests: { storage: '5Gi' } }, ...spec },
  status: { phase: 'Pending' },
})

/** A claim that is bound to a volume. */
export const boundClaim = (name: string, volumeName: string, spec: Partial<PersistentVolumeClaim['spec']> = {}): PersistentVolumeClaim => ({
  ...claimOf(name, { volumeName, ...spec }, { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }), status: { phase: 'Bound' },
})

export const volumeOf = (name: string, spec: Partial<PersistentVolume['spec']> = {}, labels: Record<string, string> = {}): PersistentVolume => ({
  metadata: { name, resourceVersion: '1', labels },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '10Gi' }, storageClassName: 'late', ...spec },
  status: { phase: 'Available' },
})

export const inZone = (...values: string[]): NonNullable<PersistentVolume['spec']['nodeAffinity']> => ({ required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values }] }] } })

export const classOf = (name: string, more: Partial<StorageClass> = {}): StorageClass => ({ metadata: { name }, provisioner: 'csi.example.com', volumeBindingMode: 'WaitForFirstConsumer', ...more })

export const csiNodeOf = (name: string, limits: Record<string, number | undefined>, annotations: Record<string, string> = {}): CSINode => ({
  metadata: { name, annotations },
  spec: { drivers: Object.entries(limits).map(([driver, count]) => ({ name: driver, nodeID: name, ...(count === undefined ? {} : { allocatable: { count } }) })) },
})
