export { QuantityError } from './parse.ts'
export type { QuantityFormat } from './parse.ts'
export * from './quantity.ts'
