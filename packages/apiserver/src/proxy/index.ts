import type { Authorizer, ConnectHandler } from '../interfaces.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import { podLog } from './pod-log.ts'
import { podStreams } from './pod-streams.ts'

export { kubeletAccess } from './kubelet-access.ts'

/** Subresources that are served by somebody else, through this server. */
export function createConnectHandlers(kubelet: KubeletAccess, authorizer: Authorizer): ConnectHandler[] {
  return [podLog(kubelet), ...podStreams(kubelet, authorizer)]
}
