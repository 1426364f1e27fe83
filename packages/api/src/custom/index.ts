// Custom resources: a CustomResourceDefinition's schema at run time, and what is derived from it.
export { customTable, type PrinterColumn } from './columns.ts'
export { applySchemaDefaults } from './default.ts'
export { JsonPathError, parseJsonPath } from './json-path.ts'
export { objectSchemaOf } from './object-schema.ts'
export { prune } from './prune.ts'
export { structuralOf, type Structural, type ValidationRule } from './structural.ts'
export { counterpart, validateValue } from './validate.ts'
