import type { ResourceInfo } from '@berth/api'
import { proxyUpgrade } from '@berth/streaming'
import { serviceUnavailable } from '../errors.ts'
import type { ApiObject, ApiResponse, ConnectContext, ConnectHandler } from '../interfaces.ts'
import { answerHeaders, type BackendTls, forwardedHeaders, sendToBackend, streamedAnswer } from './backend.ts'
import { parseProxyName, type ProxyName } from './proxy-name.ts'
import { unreachable } from './unreachable.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** Where a proxied request goes. */
export interface ProxyTarget {
  /** Scheme, host and port, without a path. */
  readonly origin: string
  readonly tls?: BackendTls
}

/** A proxy subresource: whatever follows `/proxy` is passed on to the target, with method, headers and body, and upgrades byte for byte. */
export function httpProxy(parent: ResourceInfo, kind: string, targetOf: (object: ApiObject, name: ProxyName) => ProxyTarget): ConnectHandler {
  return {
    parent,
    subresource: 'proxy',
    methods,
    parentName: (name) => parseProxyName(name, kind).name,
    connect: (context) => forward(context, targetOf(context.parent, parseProxyName(context.info.name, kind))),
  }
}

async function forward({ request, info, query }: ConnectContext, target: ProxyTarget): Promise<ApiResponse | undefined> {
  const prefix = proxyPrefix(info.path, info.parts.length)
  const path = info.path.slice(prefix.length)
  const search = query.toString()
  // Relative links of a page at the root would otherwise leave the proxy.
  if (path === '' && request.method === 'GET' && !request.upgrade) return { status: 301, headers: { location: `${info.path}/${search === '' ? '' : `?${search}`}` }, body: '' }
  const url = `${target.origin}${path === '' ? '/' : path}${search === '' ? '' : `?${search}`}`
  if (request.upgrade) {
    const headers = { ...forwardedHeaders(request), connection: 'Upgrade', upgrade: request.headers['upgrade'] ?? '' }
    void proxyUpgrade({ method: request.method, headers }, request.upgrade.socket, Buffer.from(request.upgrade.head), url, { ...(target.tls && { tls: target.tls }), unreachable: unreachable(url) })
    return undefined
  }
  const headers = { ...forwardedHeaders(request), 'x-forwarded-uri': info.path, 'x-forwarded-for': request.remoteAddress, 'x-forwarded-proto': 'https' }
  const answer = await sendToBackend(url, { method: request.method, headers, body: await request.body(), signal: request.signal, ...(target.tls && { tls: target.tls }) })
    .catch((error: unknown) => { throw serviceUnavailable(`error trying to reach service: ${error instanceof Error ? error.message.replace(/^\w+ "[^"]*": /, '') : String(error)}`) })
  return streamedAnswer(answer, rewriteLocation(answerHeaders(answer), target.origin, prefix))
}

/** The request's path up to and with `/proxy`: everything after it is the target's. */
function proxyPrefix(path: string, parts: number): string {
  const rest = parts - 3
  const segments = path.split('/')
  const trailing = path.endsWith('/') ? 1 : 0
  return segments.slice(0, segments.length - rest - trailing).join('/')
}

/** A redirect within the target becomes one within the proxy. */
function rewriteLocation(headers: Record<string, string | string[]>, origin: string, prefix: string): Record<string, string | string[]> {
  const { location } = headers
  if (typeof location !== 'string') return headers
  if (location.startsWith(`${origin}/`)) return { ...headers, location: prefix + location.slice(origin.length) }
  return location.startsWith('/') && !location.startsWith('//') ? { ...headers, location: prefix + location } : headers
}
