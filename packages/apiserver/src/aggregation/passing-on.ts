// The way of a request to an aggregated server and of its answer back.
import { randomUUID } from 'node:crypto'
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { proxyUpgrade } from '@berth/streaming'
import { textResponse } from '../http/respond.ts'
import type { ApiRequest, ApiResponse, RequestInfo, UserInfo } from '../interfaces.ts'
import { answerHeaders, forwardedHeaders, sendToBackend, streamedAnswer } from '../proxy/backend.ts'
import { isAvailable, serviceOf } from './api-services.ts'
import type { BackendAccess } from './backends.ts'
import { backendTls, namesUser, userHeaders } from './front-proxy.ts'
import { serviceAddress } from './service-address.ts'
import { transportError } from '../proxy/transport-error.ts'

/** Discovery is asked of every server by every client: one that hangs must not hold them up. */
const discoveryWithinMs = 5_000
/** A request is let go of once its client has its 504. */
const graceMs = 1_000

/** A request that is authenticated and authorized. */
export interface PassedRequest {
  readonly request: ApiRequest
  readonly info: RequestInfo
  readonly query: URLSearchParams
  readonly user: UserInfo
  /** When the client is answered 504 whatever comes; undefined for what may last. */
  readonly limitMs: number | undefined
}

export interface PassingOptions {
  readonly rejectRedirects: boolean
  /** Headers, in lower case, by which this server itself is told users: no client's own go on. */
  readonly isUserHeader: (name: string) => boolean
}

const unavailable = (): ApiResponse => textResponse(503, 'service unavailable\n')

/** Sends a request on as it is, in the user's name. undefined: the connection was taken over (upgrade). Failures are plain text, as upstream's. */
export async function passOn(access: BackendAccess, service: APIService, passed: PassedRequest, options: PassingOptions): Promise<ApiResponse | undefined> {
  const key = serviceOf(service)
  if (!key || !isAvailable(service)) return unavailable()
  let address: string
  try {
    address = serviceAddress(access.store, key, access.toEndpoints)
  } catch {
    return unavailable()
  }
  const { request, info, query, user } = passed
  // A path that climbs would leave the group version that the user was let into.
  if (info.path.split('/').some(isClimbing)) return textResponse(404, '404 page not found\n')
  const search = query.toString()
  const url = `https://${address}${info.path}${search === '' ? '' : `?${search}`}`
  const tls = backendTls(service, access.proxyClient())
  const headers = { ...clientHeaders(request, options), 'audit-id': request.headers['audit-id'] ?? randomUUID(), ...userHeaders(user) }
  if (request.upgrade) {
    const upgrade = { connection: 'Upgrade', upgrade: request.headers['upgrade'] ?? '' }
    void proxyUpgrade({ method: request.method, headers: { ...headers, ...upgrade } }, request.upgrade.socket, Buffer.from(request.upgrade.head), url, {
      tls, signal: request.signal,
      unreachable: (error) => ({ status: 503, contentType: 'text/plain; charset=utf-8', body: `error dialing backend: ${transportError(error, address)}\n` }),
    })
    return undefined
  }
  try {
    const forwarded = { 'x-forwarded-for': request.remoteAddress, 'x-forwarded-host': request.headers['host'] ?? '', 'x-forwarded-proto': 'https', 'x-forwarded-uri': info.path }
    const answer = await sendToBackend(url, { method: request.method, headers: { ...headers, ...forwarded, ...lengthOf(request) }, body: request.bodyStream ?? await request.body(), tls, signal: signalOf(passed) })
    const status = answer.statusCode ?? 502
    if (options.rejectRedirects && status >= 300 && status < 400 && answer.headers.location) {
      answer.destroy()
      return textResponse(502, 'the backend attempted to redirect this request, which is not permitted')
    }
    return streamedAnswer(answer, answerHeaders(answer))
  } catch (error) {
    return textResponse(503, `error trying to reach service: ${transportError(error, address)}\n`)
  }
}

function isClimbing(segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment)
}

/** A stream goes on with the length that the client gave, or in pieces. */
function lengthOf(request: ApiRequest): Record<string, string> {
  if (!request.bodyStream) return {}
  const length = request.headers['content-length']
  if (length !== undefined) return { 'content-length': length }
  return ['GET', 'HEAD', 'OPTIONS'].includes(request.method) ? {} : { 'transfer-encoding': 'chunked' }
}

function signalOf({ request, info, limitMs }: PassedRequest): AbortSignal {
  const isDiscovery = !info.isResourceRequest && info.path.replace(/^\/+|\/+$/g, '').split('/').length === 3
  const within = isDiscovery ? discoveryWithinMs : limitMs === undefined ? undefined : limitMs + graceMs
  return within === undefined ? request.signal : AbortSignal.any([request.signal, AbortSignal.timeout(within)])
}

/** What a client sent, without its credentials and without anything that names a user. */
function clientHeaders(request: ApiRequest, { isUserHeader }: PassingOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(forwardedHeaders(request))) {
    if (namesUser(name) || isUserHeader(name)) continue
    const kept = name === 'sec-websocket-protocol' ? withoutToken(value) : value
    if (kept !== '') headers[name] = kept
  }
  return headers
}

/** A browser's token travels as a WebSocket subprotocol. */
function withoutToken(protocols: string): string {
  return protocols.split(',').map((protocol) => protocol.trim()).filter((protocol) => !protocol.startsWith('base64url.bearer.authorization.k8s.io.')).join(', ')
}
