import type { ResourceQuota } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

export const resourceQuotaTable: KindTable<ResourceQuota> = {
  columns: [
    nameColumn,
    { name: 'Request', description: 'Request represents a minimum amount of cpu/memory that a container may consume.' },
    { name: 'Limit', description: 'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.' },
    ageColumn,
  ],
  cells(quota, now) {
    const { hard = {}, used = {} } = quota.status ?? {}
    const names = Object.keys(hard).sort()
    const shown = (some: readonly string[]): string => some.map((name) => `${name}: ${used[name] ?? '0'}/${hard[name] ?? '0'}`).join(', ')
    return [quota.metadata.name, shown(names.filter((name) => !name.startsWith('limits.'))), shown(names.filter((name) => name.startsWith('limits.'))), ageOf(quota, now)]
  },
}
