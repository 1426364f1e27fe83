export { command } from './command.ts'
export { extenderConfigOf, readExtenderConfig, type ExtenderConfig } from './config.ts'
export { startExtender, type RunningExtender, type StartExtenderOptions } from './start.ts'
