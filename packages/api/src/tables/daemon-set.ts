import { formatLabelSelector } from '../selectors/labels.ts'
import type { DaemonSet } from '../types/apps/v1.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { containerCells, formatLabels } from './format.ts'

export const daemonSetTable: KindTable<DaemonSet> = {
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', description: ['apps/v1', 'DaemonSetStatus', 'desiredNumberScheduled'] },
    { name: 'Current', type: 'integer', description: ['apps/v1', 'DaemonSetStatus', 'currentNumberScheduled'] },
    { name: 'Ready', type: 'integer', description: ['apps/v1', 'DaemonSetStatus', 'numberReady'] },
    { name: 'Up-to-date', type: 'integer', description: ['apps/v1', 'DaemonSetStatus', 'updatedNumberScheduled'] },
    { name: 'Available', type: 'integer', description: ['apps/v1', 'DaemonSetStatus', 'numberAvailable'] },
    { name: 'Node Selector', description: ['core/v1', 'PodSpec', 'nodeSelector'] },
    ageColumn,
    containersColumn,
    imagesColumn,
    // A field whose type is a struct has no documentation of its own in what descriptions are read from.
    {
      name: 'Selector', wide: true,
      description: 'A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template\'s labels. '
        + 'More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
    },
  ],
  cells(set, now) {
    const { metadata, spec, status } = set
    return [
      metadata.name, status?.desiredNumberScheduled ?? 0, status?.currentNumberScheduled ?? 0, status?.numberReady ?? 0, status?.updatedNumberScheduled ?? 0, status?.numberAvailable ?? 0,
      formatLabels(spec?.template?.spec?.nodeSelector), ageOf(set, now), ...containerCells(spec?.template), formatLabelSelector(spec?.selector),
    ]
  },
}
