import type { PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { CSIDriver, CSINode, CSIStorageCapacity, StorageClass } from '@berth/api/types/storage/v1'
import type { EventInterest, EventObjects } from '../../framework/plugin.ts'
import { volumeLimit } from './capacity.ts'
import { usesClaim } from './objects.ts'

/** The objects of an event as the kind they are: the feed says of which kind an event's objects are. */
export function changeOf<T>({ old, now }: EventObjects): { old?: T; now?: T } {
  return { ...(old === undefined ? {} : { old: old as T }), ...(now === undefined ? {} : { now: now as T }) }
}

const migratedPluginsOf = (node: CSINode | undefined): string => node?.metadata.annotations?.['storage.alpha.kubernetes.io/migrated-plugins'] ?? ''

/** Which changes can help a pod that VolumeBinding rejected (upstream: isSchedulableAfter...). */
export const volumeBindingEvents: readonly EventInterest[] = [
  { event: 'StorageClassAdded' },
  {
    event: 'StorageClassUpdated',
    helps(_pod, change) {
      const { old, now } = changeOf<StorageClass>(change)
      return JSON.stringify(old?.allowedTopologies ?? []) !== JSON.stringify(now?.allowedTopologies ?? [])
    },
  },
  ...(['PersistentVolumeClaimAdded', 'PersistentVolumeClaimUpdated'] as const).map((event): EventInterest => ({
    event,
    helps({ pod }, change) {
      const { now } = changeOf<PersistentVolumeClaim>(change)
      return now !== undefined && usesClaim(pod, now)
    },
  })),
  { event: 'PersistentVolumeAdded' },
  { event: 'PersistentVolumeUpdated' },
  { event: 'NodeAdded' },
  { event: 'NodeLabelsChanged' },
  { event: 'CSINodeAdded' },
  {
    event: 'CSINodeUpdated',
    helps(_pod, change) {
      const { old, now } = changeOf<CSINode>(change)
      return migratedPluginsOf(old) !== migratedPluginsOf(now)
    },
  },
  {
    // Upstream looks at inline volumes alone here, though it is claims that wait for capacity.
    event: 'CSIDriverUpdated',
    helps({ pod }, change) {
      const { old, now } = changeOf<CSIDriver>(change)
      if (old?.spec.storageCapacity !== true || now?.spec.storageCapacity === true) return false
      return (pod.spec.volumes ?? []).some(({ csi, persistentVolumeClaim, ephemeral }) => csi?.driver === now?.metadata.name || persistentVolumeClaim !== undefined || ephemeral !== undefined)
    },
  },
  { event: 'CSIStorageCapacityAdded' },
  {
    event: 'CSIStorageCapacityUpdated',
    helps(_pod, change) {
      const { old, now } = changeOf<CSIStorageCapacity>(change)
      const before = old && volumeLimit(old)
      const after = now && volumeLimit(now)
      return after !== undefined && (before === undefined || after.value() > before.value())
    },
  },
]
