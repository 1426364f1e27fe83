import type { ObjectMeta } from '../types/meta/v1.ts'
import { nameColumn } from './column.ts'
import type { KindTable } from './column.ts'

/** Kinds without a table of their own: the name, and when the object was created. */
export const genericTable: KindTable<{ metadata: ObjectMeta }> = {
  columns: [nameColumn, { name: 'Created At', type: 'date', description: ['meta/v1', 'ObjectMeta', 'creationTimestamp'] }],
  cells: ({ metadata }) => [metadata?.name ?? '', metadata?.creationTimestamp ?? null],
}
