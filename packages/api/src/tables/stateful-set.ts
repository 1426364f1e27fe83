import type { StatefulSet } from '../types/apps/v1.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { containerCells } from './format.ts'

export const statefulSetTable: KindTable<StatefulSet> = {
  columns: [nameColumn, { name: 'Ready', description: 'Number of the pod with ready state' }, ageColumn, containersColumn, imagesColumn],
  cells: (set, now) => [set.metadata.name, `${set.status?.readyReplicas ?? 0}/${set.spec?.replicas ?? 0}`, ageOf(set, now), ...containerCells(set.spec?.template)],
}
