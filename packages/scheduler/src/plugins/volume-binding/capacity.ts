import { labelSelectorMatcher, parseQuantity, type Quantity } from '@berth/kube'
import type { PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { CSIStorageCapacity, StorageClass } from '@berth/api/types/storage/v1'
import { claimSize } from '@berth/pod-rules'
import type { NodeInfo } from '../../framework/node-info.ts'
import type { StorageObjects } from './objects.ts'

/** The largest volume that can be made there: maximumVolumeSize is the more precise word. Undefined where nothing is said: then none can. */
export function volumeLimit(capacity: CSIStorageCapacity): Quantity | undefined {
  const limit = capacity.maximumVolumeSize ?? capacity.capacity
  return limit === undefined ? undefined : parseQuantity(limit)
}

/** Whether the driver has room for a claim's volume in reach of the node, and where. Drivers that do not tell (storageCapacity) always have. */
export function roomFor(claim: PersistentVolumeClaim, storageClass: StorageClass, node: NodeInfo, objects: StorageObjects): { enough: boolean; in?: CSIStorageCapacity } {
  if (claim.spec.resources?.requests?.['storage'] === undefined) return { enough: true }
  if (objects.csiDriver(storageClass.provisioner)?.spec.storageCapacity !== true) return { enough: true }
  const size = claimSize(claim)
  for (const capacity of objects.capacities()) {
    if (capacity.storageClassName !== storageClass.metadata.name || !capacity.nodeTopology) continue
    const limit = volumeLimit(capacity)
    if (limit && limit.value() >= size.value() && labelSelectorMatcher(capacity.nodeTopology)(node.labels)) return { enough: true, in: capacity }
  }
  return { enough: false }
}
