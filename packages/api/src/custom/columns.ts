import { stringifyJson } from '../json/stringify.ts'
import type { Json } from '../schema/model.ts'
import { readDescriptions } from '../openapi/descriptions.ts'
import type { TableColumnDefinition } from '../tables/column.ts'
import { since } from '../tables/duration.ts'
import { JsonPathError, parseJsonPath } from './json-path.ts'

/** additionalPrinterColumns' entry (apiextensions.k8s.io/v1, CustomResourceColumnDefinition). */
export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
  readonly jsonPath: string
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** A custom resource's table: its name, then its own columns, or its age where it has none. */
export function customTable(columns: readonly PrinterColumn[] | undefined): { columns: TableColumnDefinition[]; cells(object: Json, now: Date): Json[] } {
  const own = columns && columns.length > 0 ? columns : [age]
  const reads = own.map((column) => {
    try {
      return parseJsonPath(column.jsonPath)
    } catch (error) {
      if (error instanceof JsonPathError) return () => []
      throw error
    }
  })
  const describe = readDescriptions()
  const descriptionOf = ({ description = '', jsonPath }: PrinterColumn): string => {
    if (description !== '') return description
    return (jsonPath === age.jsonPath ? describe('meta/v1', 'ObjectMeta', 'creationTimestamp') : undefined) ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`
  }
  return {
    columns: [
      { name: 'Name', type: 'string', format: 'name', description: describe('meta/v1', 'ObjectMeta', 'name') ?? '', priority: 0 },
      ...own.map((column) => ({ name: column.name, type: column.type, format: column.format ?? '', description: descriptionOf(column), priority: column.priority ?? 0 })),
    ],
    cells: (object, now) => [
      ((object as { metadata?: { name?: string } }).metadata?.name ?? ''),
      ...own.map(({ type }, i) => cell(type, reads[i]?.(object) ?? [], now)),
    ],
  }
}

/** A value as its column's type has it; null where there is none, or one of another type. */
function cell(type: string, found: readonly Json[], now: Date): Json {
  const [value] = found
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer': return typeof value === 'number' || typeof value === 'bigint' ? (typeof value === 'number' ? Math.trunc(value) : value) : null
    case 'number': return typeof value === 'number' || typeof value === 'bigint' ? value : null
    case 'boolean': return typeof value === 'boolean' ? value : null
    case 'date': return typeof value === 'string' ? (Number.isNaN(Date.parse(value)) ? '<invalid>' : since(value, now)) : null
    default: return found.map((one) => (typeof one === 'string' ? one : stringifyJson(one))).join(' ')
  }
}
