export { command } from './command.ts'
export { type KubeProxyConfiguration, readProxyConfig } from './config.ts'
export { ProxyError, type ProxyErrorReason } from './errors.ts'
export { type ServiceProxyOptions, startServiceProxy } from './service-proxy.ts'
