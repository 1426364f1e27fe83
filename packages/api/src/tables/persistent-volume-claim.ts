import type { PersistentVolumeClaim } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { accessModes, storageClassOf } from './storage-format.ts'

export const persistentVolumeClaimTable: KindTable<PersistentVolumeClaim> = {
  columns: [
    nameColumn,
    { name: 'Status', description: ['core/v1', 'PersistentVolumeClaimStatus', 'phase'] },
    { name: 'Volume', description: ['core/v1', 'PersistentVolumeClaimSpec', 'volumeName'] },
    { name: 'Capacity', description: ['core/v1', 'PersistentVolumeClaimStatus', 'capacity'] },
    { name: 'Access Modes', description: ['core/v1', 'PersistentVolumeClaimStatus', 'accessModes'] },
    { name: 'StorageClass', description: 'StorageClass of the pvc' },
    { name: 'VolumeAttributesClass', description: 'VolumeAttributesClass of the pvc' },
    ageColumn,
    { name: 'VolumeMode', wide: true, description: ['core/v1', 'PersistentVolumeClaimSpec', 'volumeMode'] },
  ],
  cells(claim, now) {
    const { metadata, spec, status } = claim
    const bound = Boolean(spec?.volumeName)
    return [
      metadata.name, metadata.deletionTimestamp ? 'Terminating' : status?.phase ?? '', spec?.volumeName ?? '', bound ? status?.capacity?.['storage'] ?? '0' : '',
      bound ? accessModes(status?.accessModes) : '', storageClassOf(claim), spec?.volumeAttributesClassName ?? '<unset>', ageOf(claim, now), spec?.volumeMode ?? '<unset>',
    ]
  },
}
