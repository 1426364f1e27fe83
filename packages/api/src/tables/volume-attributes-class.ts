import type { VolumeAttributesClass } from '../types/storage/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const volumeAttributesClassTable: KindTable<VolumeAttributesClass> = {
  columns: [nameColumn, { name: 'DriverName', description: ['storage/v1', 'VolumeAttributesClass', 'driverName'] }, ageColumn],
  cells: (object, now) => [object.metadata.name, object.driverName ?? '', ageOf(object, now)],
}
