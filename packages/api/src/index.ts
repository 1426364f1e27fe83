export * from './resource.ts'
export * from './resources.ts'
