import type { PriorityClass } from '../types/scheduling/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const priorityClassTable: KindTable<PriorityClass> = {
  columns: [
    nameColumn,
    { name: 'Value', type: 'integer', description: ['scheduling/v1', 'PriorityClass', 'value'] },
    { name: 'Global-Default', type: 'boolean', description: ['scheduling/v1', 'PriorityClass', 'globalDefault'] },
    ageColumn,
    { name: 'PreemptionPolicy', description: ['scheduling/v1', 'PriorityClass', 'preemptionPolicy'] },
  ],
  cells: (own, now) => [own.metadata.name, own.value ?? 0, own.globalDefault ?? false, ageOf(own, now), own.preemptionPolicy ?? ''],
}
