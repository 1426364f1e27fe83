import type { Authorizer, ConnectHandler, ResourceStore } from '../interfaces.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import { podLog } from './pod-log.ts'
import { podStreams } from './pod-streams.ts'
import { proxies } from './proxies.ts'

export { kubeletAccess } from './kubelet-access.ts'

/** Subresources that are served by somebody else, through this server. */
export function createConnectHandlers(store: ResourceStore, kubelet: KubeletAccess, authorizer: Authorizer): ConnectHandler[] {
  return [podLog(kubelet), ...podStreams(kubelet, authorizer), ...proxies(store, kubelet)]
}
