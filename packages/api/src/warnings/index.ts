export { objectWarnings } from './registry.ts'
