export { command } from './command.ts'
export type { KubeletConfiguration } from './config/configuration.ts'
export { ConfigError } from './errors.ts'
export { type Kubelet, type KubeletOptions, startKubelet } from './kubelet.ts'
