export * from './claims.ts'
export * from './default-class.ts'
export * from './matching.ts'
