import type { PersistentVolume } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { accessModes, storageClassOf } from './storage-format.ts'

export const persistentVolumeTable: KindTable<PersistentVolume> = {
  columns: [
    nameColumn,
    { name: 'Capacity', description: ['core/v1', 'PersistentVolumeSpec', 'capacity'] },
    { name: 'Access Modes', description: ['core/v1', 'PersistentVolumeSpec', 'accessModes'] },
    { name: 'Reclaim Policy', description: ['core/v1', 'PersistentVolumeSpec', 'persistentVolumeReclaimPolicy'] },
    { name: 'Status', description: ['core/v1', 'PersistentVolumeStatus', 'phase'] },
    { name: 'Claim', description: ['core/v1', 'PersistentVolumeSpec', 'claimRef'] },
    { name: 'StorageClass', description: 'StorageClass of the pv' },
    { name: 'VolumeAttributesClass', description: 'VolumeAttributesClass of the pv' },
    { name: 'Reason', description: ['core/v1', 'PersistentVolumeStatus', 'reason'] },
    ageColumn,
    { name: 'VolumeMode', wide: true, description: ['core/v1', 'PersistentVolumeSpec', 'volumeMode'] },
  ],
  cells(volume, now) {
    const { metadata, spec, status } = volume
    const claim = spec?.claimRef
    return [
      metadata.name, spec?.capacity?.['storage'] ?? '0', accessModes(spec?.accessModes), spec?.persistentVolumeReclaimPolicy ?? '',
      metadata.deletionTimestamp ? 'Terminating' : status?.phase ?? '', claim ? `${claim.namespace ?? ''}/${claim.name ?? ''}` : '', storageClassOf(volume),
      spec?.volumeAttributesClassName ?? '<unset>', status?.reason ?? '', ageOf(volume, now), spec?.volumeMode ?? '<unset>',
    ]
  },
}
