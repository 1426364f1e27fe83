import { core, storage } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass } from '@berth/api/types/storage/v1'
import { claimNameOf } from '@berth/pod-rules'
import type { Snapshot } from '../../framework/snapshot.ts'

/** The storage objects of a snapshot, by name. */
export interface StorageObjects {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  class(name: string): StorageClass | undefined
  csiNode(name: string): CSINode | undefined
  csiDriver(name: string): CSIDriver | undefined
  volumes(): Iterable<PersistentVolume>
  capacities(): Iterable<CSIStorageCapacity>
}

/** Reads a snapshot's storage objects as the API has them, without what is assumed. */
export function storageObjects(snapshot: Snapshot): StorageObjects {
  return {
    claim: (namespace, name) => snapshot.objects(core.persistentvolumeclaims).get(`${namespace}/${name}`),
    volume: (name) => snapshot.objects(core.persistentvolumes).get(name),
    class: (name) => snapshot.objects(storage.storageclasses).get(name),
    csiNode: (name) => snapshot.objects(storage.csinodes).get(name),
    csiDriver: (name) => snapshot.objects(storage.csidrivers).get(name),
    volumes: () => snapshot.objects(core.persistentvolumes).values(),
    capacities: () => snapshot.objects(storage.csistoragecapacities).values(),
  }
}

/** A volume of a pod that is a claim. */
interface ClaimUse {
  readonly name: string
  readonly volume: Volume
  readonly ephemeral: boolean
}

/** The claims that a pod's volumes stand for, in their order; those made for ephemeral volumes too. */
export function claimUses(pod: Pod): ClaimUse[] {
  const uses: ClaimUse[] = []
  for (const volume of pod.spec.volumes ?? []) {
    const name = claimNameOf(pod, volume)
    if (name !== undefined) uses.push({ name, volume, ephemeral: volume.ephemeral !== undefined })
  }
  return uses
}

/** Whether a pod uses a claim: the question most queueing hints ask. */
export function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  return (pod.metadata.namespace ?? 'default') === claim.metadata.namespace && claimUses(pod).some(({ name }) => name === claim.metadata.name)
}

/** The API's words for an object that a lister does not know. */
export const notFound = {
  claim: (name: string) => `persistentvolumeclaim ${JSON.stringify(name)} not found`,
  volume: (name: string) => `persistentvolume ${JSON.stringify(name)} not found`,
  class: (name: string) => `storageclass.storage.k8s.io ${JSON.stringify(name)} not found`,
}
