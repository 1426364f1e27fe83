export { command } from './command.ts'
export { startApiServer } from './server.ts'
export type { ApiServer, StartOptions } from './server.ts'
export type { ApiServerOptions, UserInfo } from './interfaces.ts'
