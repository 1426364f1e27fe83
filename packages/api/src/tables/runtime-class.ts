import type { RuntimeClass } from '../types/node/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const runtimeClassTable: KindTable<RuntimeClass> = {
  // Upstream looks the description up where it is not.
  columns: [nameColumn, { name: 'Handler', description: '' }, ageColumn],
  cells: (object, now) => [object.metadata.name, object.handler ?? '', ageOf(object, now)],
}
