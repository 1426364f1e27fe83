export type { TableColumnDefinition } from './column.ts'
export { humanDuration } from './duration.ts'
export { tableCells, tableColumns } from './registry.ts'
