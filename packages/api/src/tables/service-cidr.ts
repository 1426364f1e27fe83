import type { ServiceCIDR } from '../types/networking/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const serviceCidrTable: KindTable<ServiceCIDR> = {
  columns: [nameColumn, { name: 'CIDRs', description: ['networking/v1', 'ServiceCIDRSpec', 'cidrs'] }, ageColumn],
  cells: (cidr, now) => [cidr.metadata.name, (cidr.spec?.cidrs ?? []).join(','), ageOf(cidr, now)],
}
