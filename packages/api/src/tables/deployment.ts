import { selectorOf } from '../selectors/labels.ts'
import type { Deployment } from '../types/apps/v1.ts'
import { ageColumn, containersColumn, imagesColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { containerCells } from './format.ts'

function selector({ spec }: Deployment): string {
  try {
    return selectorOf(spec?.selector).toString()
  } catch {
    return '<invalid>'
  }
}

export const deploymentTable: KindTable<Deployment> = {
  columns: [
    nameColumn,
    { name: 'Ready', description: 'Number of the pod with ready state' },
    { name: 'Up-to-date', description: ['apps/v1', 'DeploymentStatus', 'updatedReplicas'] },
    { name: 'Available', description: ['apps/v1', 'DeploymentStatus', 'availableReplicas'] },
    ageColumn,
    containersColumn,
    imagesColumn,
    { name: 'Selector', wide: true, description: ['apps/v1', 'DeploymentSpec', 'selector'] },
  ],
  cells(deployment, now) {
    const { spec, status, metadata } = deployment
    return [
      metadata.name, `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`, status?.updatedReplicas ?? 0, status?.availableReplicas ?? 0, ageOf(deployment, now), ...containerCells(spec?.template),
      selector(deployment),
    ]
  },
}
