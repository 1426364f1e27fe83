import { formatLabelSelector } from '../selectors/labels.ts'
import type { ReplicaSet } from '../types/apps/v1.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { containerCells } from './format.ts'

export const replicaSetTable: KindTable<ReplicaSet> = {
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', description: ['apps/v1', 'ReplicaSetSpec', 'replicas'] },
    { name: 'Current', type: 'integer', description: ['apps/v1', 'ReplicaSetStatus', 'replicas'] },
    { name: 'Ready', type: 'integer', description: ['apps/v1', 'ReplicaSetStatus', 'readyReplicas'] },
    ageColumn,
    containersColumn,
    imagesColumn,
    // A field whose type is a struct has no documentation of its own in what descriptions are read from.
    {
      name: 'Selector', wide: true,
      description: 'Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. '
        + "It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
    },
  ],
  cells(set, now) {
    const { spec, status, metadata } = set
    return [
      metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, status?.readyReplicas ?? 0, ageOf(set, now), ...containerCells(spec?.template), formatLabelSelector(spec?.selector),
    ]
  },
}
