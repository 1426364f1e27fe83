import type { ControllerRevision } from '../types/apps/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

/** `statefulset.apps/web`. */
function controllerOf({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller)
  if (!owner) return '<none>'
  const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] ?? '' : ''
  return `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${owner.name}`
}

export const controllerRevisionTable: KindTable<ControllerRevision> = {
  columns: [nameColumn, { name: 'Controller', description: 'Controller of the object' }, { name: 'Revision', description: ['apps/v1', 'ControllerRevision', 'revision'] }, ageColumn],
  cells: (revision, now) => [revision.metadata.name, controllerOf(revision), revision.revision ?? 0, ageOf(revision, now)],
}
