export { SelectorError } from './errors.ts'
export * from './fields.ts'
export * from './labels.ts'
