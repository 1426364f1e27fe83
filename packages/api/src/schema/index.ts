export type * from './model.ts'
export { homeOf, schemaOf, structOf } from './registry.ts'
