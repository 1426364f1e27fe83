export { command } from './command.ts'
export { type DnsOptions, startDns } from './dns.ts'
export { DnsError, type DnsErrorReason } from './errors.ts'
export type { DnsConfig } from './settings.ts'
