import type { ReplicationController } from '../types/core/v1.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { containerCells, formatLabels } from './format.ts'

export const replicationControllerTable: KindTable<ReplicationController> = {
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', description: ['core/v1', 'ReplicationControllerSpec', 'replicas'] },
    { name: 'Current', type: 'integer', description: ['core/v1', 'ReplicationControllerStatus', 'replicas'] },
    { name: 'Ready', type: 'integer', description: ['core/v1', 'ReplicationControllerStatus', 'readyReplicas'] },
    ageColumn,
    containersColumn,
    imagesColumn,
    { name: 'Selector', wide: true, description: ['core/v1', 'ReplicationControllerSpec', 'selector'] },
  ],
  cells(controller, now) {
    const { metadata, spec, status } = controller
    return [metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, status?.readyReplicas ?? 0, ageOf(controller, now), ...containerCells(spec?.template), formatLabels(spec?.selector)]
  },
}
