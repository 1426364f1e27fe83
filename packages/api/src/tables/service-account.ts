import type { ServiceAccount } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const serviceAccountTable: KindTable<ServiceAccount> = {
  columns: [nameColumn, ageColumn],
  cells: (account, now) => [account.metadata.name, ageOf(account, now)],
}
