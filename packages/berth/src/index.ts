export { berthVersion } from './version.ts'
