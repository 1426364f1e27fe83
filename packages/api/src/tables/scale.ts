import type { Scale } from '../types/autoscaling/v1.ts'
import { ageColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const scaleTable: KindTable<Scale> = {
  columns: [
    { name: 'Name', description: ['meta/v1', 'ObjectMeta', 'name'] },
    { name: 'Desired', type: 'integer', description: ['autoscaling/v1', 'ScaleSpec', 'replicas'] },
    { name: 'Available', type: 'integer', description: ['autoscaling/v1', 'ScaleStatus', 'replicas'] },
    ageColumn,
  ],
  cells: (scale, now) => [scale.metadata.name, scale.spec?.replicas ?? 0, scale.status?.replicas ?? 0, ageOf(scale, now)],
}
