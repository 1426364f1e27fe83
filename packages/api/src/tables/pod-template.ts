import type { PodTemplate } from '../types/core/v1.ts'
import { nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { containerCells, formatLabels } from './format.ts'

export const podTemplateTable: KindTable<PodTemplate> = {
  columns: [
    nameColumn,
    { name: 'Containers', description: 'Names of each container in the template.' },
    { name: 'Images', description: 'Images referenced by each container in the template.' },
    { name: 'Pod Labels', description: 'The labels for the pod template.' },
  ],
  cells: ({ metadata, template }) => [metadata.name, ...containerCells(template), formatLabels(template?.metadata?.labels)],
}
