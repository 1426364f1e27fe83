import type { ComponentStatus } from '../types/core/v1.ts'
import { nameColumn } from './column.ts'
import type { KindTable } from './column.ts'

export const componentStatusTable: KindTable<ComponentStatus> = {
  columns: [
    nameColumn,
    { name: 'Status', description: 'Status of the component conditions' },
    { name: 'Message', description: 'Message of the component conditions' },
    { name: 'Error', description: 'Error of the component conditions' },
  ],
  cells({ metadata, conditions }) {
    const condition = conditions?.find(({ type }) => type === 'Healthy')
    if (!condition) return [metadata.name, 'Unknown', '', '']
    return [metadata.name, condition.status === 'True' ? 'Healthy' : 'Unhealthy', condition.message ?? '', condition.error ?? '']
  },
}
