export { CronError, parseCron } from './parse.ts'
export type { CronSchedule } from './parse.ts'
