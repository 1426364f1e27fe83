import type { Lease } from '../types/coordination/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const leaseTable: KindTable<Lease> = {
  columns: [nameColumn, { name: 'Holder', description: ['coordination/v1', 'LeaseSpec', 'holderIdentity'] }, ageColumn],
  cells: (lease, now) => [lease.metadata.name, lease.spec?.holderIdentity ?? '', ageOf(lease, now)],
}
