export type * from './model.ts'
export { homeOf, schemaOf, structOf, typeNames } from './registry.ts'
