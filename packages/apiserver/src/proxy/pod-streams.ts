import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { proxyUpgrade } from '@berth/streaming'
import { authorizationForbidden } from '../authorization/forbidden.ts'
import { badRequest } from '../errors.ts'
import type { ApiRequest, Authorizer, ConnectContext, ConnectHandler } from '../interfaces.ts'
import { containerOf } from './container.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import { streamQuery } from './options.ts'
import { unreachable } from './unreachable.ts'

/** pods/exec, pods/attach and pods/portforward: upgraded connections, passed byte for byte to the kubelet of the pod's node, whatever their protocol. */
export function podStreams(kubelet: KubeletAccess, authorizer: Authorizer): ConnectHandler[] {
  const handler = (subresource: string, target: (pod: Pod, query: URLSearchParams) => { path: string, query: URLSearchParams }): ConnectHandler => ({
    parent: core.pods,
    subresource,
    methods: ['GET', 'POST'],
    async connect(context) {
      const pod = context.parent as unknown as Pod
      const { path, query } = target(pod, context.query)
      if (!pod.spec?.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
      const url = kubelet.url(pod.spec.nodeName, path, query)
      await requireCreate(context, authorizer)
      const { request } = context
      if (!request.upgrade) throw badRequest('Upgrade request required')
      void proxyUpgrade({ method: request.method, headers: withoutToken(request) }, request.upgrade.socket, Buffer.from(request.upgrade.head), url, { tls: kubelet.tls(false), unreachable: unreachable(url) })
      return undefined
    },
  })
  const inContainer = (verb: 'exec' | 'attach') => (pod: Pod, query: URLSearchParams) => ({
    path: `/${verb}/${pod.metadata.namespace ?? ''}/${pod.metadata.name}/${containerOf(pod, query.get('container') ?? '')}`,
    query: streamQuery(query, verb === 'exec'),
  })
  return [
    handler('exec', inContainer('exec')),
    handler('attach', inContainer('attach')),
    handler('portforward', (pod, query) => {
      const ports = query.getAll('ports').flatMap((p) => p.split(','))
      return { path: `/portForward/${pod.metadata.namespace ?? ''}/${pod.metadata.name}`, query: new URLSearchParams(ports.length > 0 ? { port: ports.join(',') } : {}) }
    }),
  ]
}

/** A WebSocket comes as a GET: who may only read pods must not get into them by it, so `create` is asked for as well. */
async function requireCreate(context: ConnectContext, authorizer: Authorizer): Promise<void> {
  if (context.request.method !== 'GET') return
  const { info, user } = context
  const asked = {
    user, verb: 'create', resourceRequest: true, path: info.path, namespace: info.namespace, apiGroup: info.apiGroup, apiVersion: info.apiVersion,
    resource: info.resource, subresource: info.subresource, name: info.name,
  }
  const { decision, reason } = await authorizer.authorize(asked)
  if (decision !== 'allow') throw authorizationForbidden(asked, reason)
}

/** The client's headers without its credentials: a browser's token travels as a WebSocket subprotocol. */
function withoutToken(request: ApiRequest): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith('impersonate-')) continue
    headers[name] = name === 'sec-websocket-protocol' ? value.split(',').map((p) => p.trim()).filter((p) => !p.startsWith('base64url.bearer.authorization.k8s.io.')).join(', ') : value
  }
  return headers
}
