import { core, storage, type ResourceInfo } from '@berth/api'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment } from '@berth/api/types/storage/v1'
import type { KubeClient } from '@berth/kube'
import type { Cache } from '../../src/cache/cache.ts'
import type { Chance } from '../../src/engine/oracle/chance.ts'
import { resourceKey, type KubernetesObject } from '../../src/framework/resource-key.ts'

/** What there is of storage in a cluster, and a pod that wants some of it. */
export interface StorageCase {
  readonly nodes: readonly Node[]
  readonly classes: readonly StorageClass[]
  readonly volumes: readonly PersistentVolume[]
  readonly claims: readonly PersistentVolumeClaim[]
  readonly csiNodes: readonly CSINode[]
  readonly drivers: readonly CSIDriver[]
  readonly capacities: readonly CSIStorageCapacity[]
  readonly attachments: readonly VolumeAttachment[]
  /** Pods that run; each has its node. */
  readonly pods: readonly Pod[]
  readonly pod: Pod
}

const zones = ['a', 'b', 'c']
const drivers = ['one.example.com', 'two.example.com']
const classNames = ['late', 'late2', 'manual', 'now', '']
const sizes = ['1Gi', '2Gi', '5Gi', '10Gi']
const zoneLabel = 'topology.kubernetes.io/zone'

const pick = <T>(chance: Chance, from: readonly T[]): T => chance.of(from)
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
const oneIn = (chance: Chance, n: number): boolean => chance.below(n) === 0

function randomNode(chance: Chance, name: string): Node {
  const zone = pick(chance, zones)
  return { metadata: { name, labels: { 'kubernetes.io/hostname': name, zone, ...(oneIn(chance, 2) ? { [zoneLabel]: zone } : {}) } }, spec: {}, status: { allocatable: { cpu: '8', memory: '8Gi', pods: '20' } } }
}

function randomVolume(chance: Chance, i: number): PersistentVolume {
  const values = oneIn(chance, 2) ? [pick(chance, zones)] : ['b', 'c']
  return {
    metadata: { name: `pv${i}`, labels: { ...(oneIn(chance, 3) ? { tier: 'gold' } : {}), ...(oneIn(chance, 4) ? { [zoneLabel]: oneIn(chance, 3) ? 'a__b' : pick(chance, zones) } : {}) } },
    spec: {
      accessModes: oneIn(chance, 4) ? ['ReadWriteOnce', 'ReadOnlyMany'] : ['ReadWriteOnce'], capacity: { storage: pick(chance, sizes) }, storageClassName: pick(chance, classNames),
      persistentVolumeReclaimPolicy: 'Retain', csi: { driver: pick(chance, drivers), volumeHandle: `h${i}` }, ...(oneIn(chance, 6) ? { volumeMode: 'Block' as const } : {}),
      ...(oneIn(chance, 3) ? {} : { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In' as const, values }] }] } } }),
    },
    status: { phase: oneIn(chance, 6) ? 'Released' : 'Available' },
  }
}

/** A claim, bound to one of the volumes (or to one that is not there) or not. */
function randomClaim(chance: Chance, i: number, volumes: PersistentVolume[], prefix: string): PersistentVolumeClaim {
  const name = `c${i}`
  const to = oneIn(chance, 2) ? volumes.find(({ spec }) => !spec.claimRef) : undefined
  const gone = oneIn(chance, 15)
  const annotations: Record<string, string> = {}
  if (to ?? gone) annotations['pv.kubernetes.io/bind-completed'] = 'yes'
  else if (oneIn(chance, 10)) annotations['volume.kubernetes.io/selected-node'] = `${prefix}${chance.below(4)}`
  if (to) to.spec.claimRef = { kind: 'PersistentVolumeClaim', namespace: 'default', name }
  return {
    metadata: { name, namespace: 'default', annotations },
    spec: {
      accessModes: oneIn(chance, 4) ? ['ReadWriteOncePod'] : oneIn(chance, 4) ? ['ReadOnlyMany'] : ['ReadWriteOnce'], storageClassName: to?.spec.storageClassName ?? pick(chance, classNames),
      resources: { requests: { storage: pick(chance, sizes) } }, ...(oneIn(chance, 8) ? { volumeMode: 'Block' as const } : {}), ...(to ? { volumeName: to.metadata.name } : gone ? { volumeName: 'gone' } : {}),
      ...(!to && oneIn(chance, 8) ? { selector: { matchLabels: { tier: 'gold' } } } : {}),
    },
    status: { phase: to ? 'Bound' : oneIn(chance, 20) ? 'Lost' : 'Pending' },
  }
}

const claimVolume = (i: number): Volume => ({ name: `v${i}`, persistentVolumeClaim: { claimName: `c${i}` } })

function randomVolumes(chance: Chance, claims: number, most: number): Volume[] {
  const used = new Set(times(chance.below(most) + 1, () => chance.below(claims + (oneIn(chance, 12) ? 1 : 0))))
  const volumes = [...used].map(claimVolume)
  if (oneIn(chance, 5)) volumes.push({ name: 'disk', gcePersistentDisk: { pdName: pick(chance, ['d1', 'd2']), readOnly: oneIn(chance, 2) } })
  return volumes
}

const podOf = (name: string, volumes: Volume[], nodeName?: string): Pod => ({
  metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }], volumes, terminationGracePeriodSeconds: 0, ...(nodeName === undefined ? { schedulerName: 'stock' } : { nodeName }) },
})

/** A cluster by chance. The names of its nodes and of the pod begin with `prefix`. */
export function randomStorage(chance: Chance, prefix: string): StorageCase {
  const nodes = times(2 + chance.below(4), (i) => randomNode(chance, `${prefix}${i}`))
  const volumes = times(2 + chance.below(6), (i) => randomVolume(chance, i))
  const claims = times(4, (i) => randomClaim(chance, i, volumes, prefix))
  const topologies = (): StorageClass['allowedTopologies'] => (oneIn(chance, 2) ? [{ matchLabelExpressions: [{ key: 'zone', values: oneIn(chance, 2) ? ['a', 'b'] : ['c'] }] }] : [])
  const late = { volumeBindingMode: 'WaitForFirstConsumer' as const }
  return {
    nodes, volumes, claims,
    classes: [
      { metadata: { name: 'late' }, provisioner: drivers[0] ?? '', allowedTopologies: topologies() ?? [], ...late }, { metadata: { name: 'late2' }, provisioner: drivers[1] ?? '', allowedTopologies: topologies() ?? [], ...late },
      { metadata: { name: 'manual' }, provisioner: 'kubernetes.io/no-provisioner', ...late }, { metadata: { name: 'now' }, provisioner: drivers[0] ?? '', volumeBindingMode: 'Immediate' },
    ],
    csiNodes: nodes.filter(() => !oneIn(chance, 4)).map(({ metadata: { name } }) => ({
      metadata: { name }, spec: { drivers: [...drivers, 'pd.csi.storage.gke.io'].filter(() => !oneIn(chance, 4)).map((driver) => ({ name: driver, nodeID: name, topologyKeys: [], ...(oneIn(chance, 3) ? {} : { allocatable: { count: 1 + chance.below(3) } }) })) },
    })),
    drivers: drivers.filter(() => !oneIn(chance, 3)).map((name) => ({ metadata: { name }, spec: { attachRequired: true, podInfoOnMount: false, storageCapacity: oneIn(chance, 2), volumeLifecycleModes: ['Persistent'] } })),
    capacities: times(chance.below(4), (i) => ({
      metadata: { name: `cap${i}`, namespace: 'default' }, storageClassName: pick(chance, ['late', 'late2']), nodeTopology: { matchLabels: { zone: pick(chance, zones) } }, capacity: pick(chance, sizes), ...(oneIn(chance, 3) ? { maximumVolumeSize: pick(chance, sizes) } : {}),
    })),
    attachments: volumes.filter(() => oneIn(chance, 5)).map(({ metadata: { name }, spec }) => ({ metadata: { name: `va-${name}` }, spec: { attacher: spec.csi?.driver ?? '', nodeName: pick(chance, nodes).metadata.name, source: { persistentVolumeName: name } } })),
    pods: times(chance.below(4), (i) => podOf(`r${i}`, randomVolumes(chance, 4, 2), pick(chance, nodes).metadata.name)),
    pod: podOf(`${prefix}-pod`, randomVolumes(chance, 4, 3)),
  }
}

/** Puts a case's storage objects into the API and, as the API has them, into the cache. Pods and nodes are not its business. */
export async function addStorage(client: KubeClient, cache: Cache, given: StorageCase): Promise<void> {
  const keep = <T extends KubernetesObject>(resource: ResourceInfo<T>, object: T): void => cache.apply({ type: 'object-set', resource: resourceKey(resource), object })
  const all = async <T extends KubernetesObject>(resource: ResourceInfo<T>, objects: readonly T[]): Promise<void> => {
    for (const object of objects) keep(resource, await client.create(resource, object))
  }
  await all(storage.storageclasses, given.classes)
  await all(storage.csidrivers, given.drivers)
  await all(storage.csinodes, given.csiNodes)
  await all(storage.csistoragecapacities, given.capacities)
  await all(storage.volumeattachments, given.attachments)
  const uids = new Map<string, string>()
  for (const claim of given.claims) {
    const { metadata } = await client.create(core.persistentvolumeclaims, claim)
    uids.set(metadata.name, metadata.uid ?? '')
    keep(core.persistentvolumeclaims, await client.patch(core.persistentvolumeclaims, metadata.name, { type: 'merge', body: { status: claim.status } }, { namespace: 'default', subresource: 'status' }))
  }
  for (const volume of given.volumes) {
    const { claimRef } = volume.spec
    const { metadata: { name } } = await client.create(core.persistentvolumes, { ...volume, spec: { ...volume.spec, ...(claimRef ? { claimRef: { ...claimRef, uid: uids.get(claimRef.name ?? '') ?? '' } } : {}) } })
    keep(core.persistentvolumes, await client.patch(core.persistentvolumes, name, { type: 'merge', body: { status: volume.status } }, { subresource: 'status' }))
  }
}

/** Removes all storage objects. */
export async function clearStorage(client: KubeClient): Promise<void> {
  const free = { type: 'merge', body: { metadata: { finalizers: null } } } as const
  for (const { metadata } of (await client.list(core.persistentvolumeclaims, { namespace: 'default' })).items) await client.patch(core.persistentvolumeclaims, metadata.name, free, { namespace: 'default' })
  for (const { metadata } of (await client.list(core.persistentvolumes)).items) await client.patch(core.persistentvolumes, metadata.name, free)
  await client.deleteCollection(core.persistentvolumeclaims, { namespace: 'default' })
  await client.deleteCollection(storage.csistoragecapacities, { namespace: 'default' })
  await client.deleteCollection(core.persistentvolumes)
  await client.deleteCollection(storage.volumeattachments)
  await client.deleteCollection(storage.csinodes)
  await client.deleteCollection(storage.csidrivers)
  await client.deleteCollection(storage.storageclasses)
}
