import type { Secret } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const secretTable: KindTable<Secret> = {
  columns: [nameColumn, { name: 'Type', description: ['core/v1', 'Secret', 'type'] }, { name: 'Data', description: ['core/v1', 'Secret', 'data'] }, ageColumn],
  cells: (secret, now) => [secret.metadata.name, secret.type ?? '', Object.keys(secret.data ?? {}).length, ageOf(secret, now)],
}
