export { applyDefaults } from './registry.ts'
