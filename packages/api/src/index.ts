export * from './resource.ts'
export * from './resources.ts'
export * from './quantity/index.ts'
export * from './selectors/index.ts'
