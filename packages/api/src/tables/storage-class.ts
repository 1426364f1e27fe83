import type { StorageClass } from '../types/storage/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

const isDefault = ({ metadata: { annotations = {} } }: StorageClass): boolean =>
  annotations['storageclass.kubernetes.io/is-default-class'] === 'true' || annotations['storageclass.beta.kubernetes.io/is-default-class'] === 'true'

export const storageClassTable: KindTable<StorageClass> = {
  columns: [
    nameColumn,
    { name: 'Provisioner', description: ['storage/v1', 'StorageClass', 'provisioner'] },
    { name: 'ReclaimPolicy', description: ['storage/v1', 'StorageClass', 'reclaimPolicy'] },
    { name: 'VolumeBindingMode', description: ['storage/v1', 'StorageClass', 'volumeBindingMode'] },
    { name: 'AllowVolumeExpansion', description: ['storage/v1', 'StorageClass', 'allowVolumeExpansion'] },
    ageColumn,
  ],
  cells: (object, now) => [
    `${object.metadata.name}${isDefault(object) ? ' (default)' : ''}`, object.provisioner ?? '', object.reclaimPolicy ?? 'Delete', object.volumeBindingMode ?? 'Immediate',
    object.allowVolumeExpansion ?? false, ageOf(object, now),
  ],
}
