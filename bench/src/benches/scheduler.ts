export { schedulerCore as scheduler } from '../scheduler/core.ts'
