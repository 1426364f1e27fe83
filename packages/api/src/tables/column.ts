/** A column of a Table: meta.k8s.io/v1 TableColumnDefinition. Columns of priority 1 are shown by `-o wide` only. */
export interface TableColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

/** Where a column's description comes from: words of its own, or the documentation of a field (package, type, field). */
export type DescriptionSource = string | readonly [home: string, type: string, field: string]

/** A column as a kind's file states it; type `string`, no format and priority 0 where nothing else is said. */
export interface Column {
  readonly name: string
  readonly description: DescriptionSource
  readonly type?: string
  readonly format?: string
  readonly wide?: boolean
}

/** How a kind is shown as rows of a table. */
export interface KindTable<T> {
  readonly columns: readonly Column[]
  /** The cells of one object, one a column. */
  cells(object: T, now: Date): unknown[]
}

export const nameColumn: Column = { name: 'Name', format: 'name', description: ['meta/v1', 'ObjectMeta', 'name'] }
export const ageColumn: Column = { name: 'Age', description: ['meta/v1', 'ObjectMeta', 'creationTimestamp'] }
export const containersColumn: Column = { name: 'Containers', wide: true, description: 'Names of each container in the template.' }
export const imagesColumn: Column = { name: 'Images', wide: true, description: 'Images referenced by each container in the template.' }
