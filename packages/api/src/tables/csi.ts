import type { CSIDriver, CSINode, CSIStorageCapacity } from '../types/storage/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const csiNodeTable: KindTable<CSINode> = {
  columns: [nameColumn, { name: 'Drivers', type: 'integer', description: 'Drivers indicates the number of CSI drivers registered on the node' }, ageColumn],
  cells: (node, now) => [node.metadata.name, node.spec?.drivers?.length ?? 0, ageOf(node, now)],
}

export const csiDriverTable: KindTable<CSIDriver> = {
  columns: [
    nameColumn,
    { name: 'AttachRequired', type: 'boolean', description: ['storage/v1', 'CSIDriverSpec', 'attachRequired'] },
    { name: 'PodInfoOnMount', type: 'boolean', description: ['storage/v1', 'CSIDriverSpec', 'podInfoOnMount'] },
    { name: 'StorageCapacity', type: 'boolean', description: ['storage/v1', 'CSIDriverSpec', 'storageCapacity'] },
    { name: 'TokenRequests', description: ['storage/v1', 'CSIDriverSpec', 'tokenRequests'] },
    { name: 'RequiresRepublish', type: 'boolean', description: ['storage/v1', 'CSIDriverSpec', 'requiresRepublish'] },
    { name: 'Modes', description: ['storage/v1', 'CSIDriverSpec', 'volumeLifecycleModes'] },
    ageColumn,
  ],
  cells(driver, now) {
    const spec = driver.spec ?? {}
    return [
      driver.metadata.name, spec.attachRequired ?? true, spec.podInfoOnMount ?? false, spec.storageCapacity ?? false,
      spec.tokenRequests ? spec.tokenRequests.map(({ audience = '' }) => audience).join(',') : '<unset>', spec.requiresRepublish ?? false,
      spec.volumeLifecycleModes?.join(',') || '<none>', ageOf(driver, now),
    ]
  },
}

export const csiStorageCapacityTable: KindTable<CSIStorageCapacity> = {
  columns: [
    nameColumn,
    { name: 'StorageClassName', description: ['storage/v1', 'CSIStorageCapacity', 'storageClassName'] },
    { name: 'Capacity', description: ['storage/v1', 'CSIStorageCapacity', 'capacity'] },
  ],
  cells: ({ metadata, storageClassName = '', capacity = '<unset>' }) => [metadata.name, storageClassName, capacity],
}
