import type { ConfigMap } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const configMapTable: KindTable<ConfigMap> = {
  columns: [nameColumn, { name: 'Data', description: ['core/v1', 'ConfigMap', 'data'] }, ageColumn],
  cells: (map, now) => [map.metadata.name, Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length, ageOf(map, now)],
}
