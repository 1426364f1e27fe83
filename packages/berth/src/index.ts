export { Progress, type ProgressOutput } from './progress/progress.ts'
export { layoutOf, type Layout } from './instance/layout.ts'
