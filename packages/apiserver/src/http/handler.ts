// One request's way: who is it, may they, where does it go, and what became of it. Used by sockets and by in-process transports alike.
import { randomUUID } from 'node:crypto'
import { authorizationForbidden } from '../authorization/index.ts'
import { pathNotFound, StatusError, timeout, unauthorized } from '../errors.ts'
import type { ApiRequest, ApiResponse, AuthorizationAttributes, Authenticator, Authorizer, RequestInfo, ServerLog, UserInfo } from '../interfaces.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { HandlerDependencies } from './context.ts'
import { errorResponse, textResponse, toStatusError } from './respond.ts'
import { parseRequestInfo } from './request-info.ts'
import { routeResource } from './resource-router.ts'
import { loadYaml } from './yaml.ts'

/** A path that is no resource: exact, or (ending in /) everything below it. */
export interface PathHandler {
  path: string
  handle(request: ApiRequest, query: URLSearchParams, user: UserInfo): Promise<ApiResponse> | ApiResponse
}

export interface HandlerOptions {
  deps: HandlerDependencies
  authenticator: Authenticator
  authorizer: Authorizer
  /** `v1`, `apps/v1`, ...: what is served now. */
  servedGroupVersions(): ReadonlySet<string>
  /** Paths beside resources, the more specific ones first. */
  paths: readonly PathHandler[]
  metrics: ServerMetrics
  log: ServerLog
  requestTimeoutSeconds: number
}

/** Answers a request; undefined when the connection was taken over. Never rejects. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse | undefined>

/** Builds the handler. */
export function createHandler(options: HandlerOptions): ApiHandler {
  return async (request) => {
    const started = performance.now()
    const url = new URL(request.url, 'https://apiserver')
    const info = parseRequestInfo(request.method, url.pathname, url.searchParams)
    const warnings: string[] = []
    const long = isLongRunning(info)
    const kind = ['GET', 'HEAD'].includes(request.method) ? 'readOnly' : 'mutating'
    if (!long) options.metrics.inflight(kind, 1)
    else options.metrics.longRunning(info, 1)
    let response: ApiResponse | undefined
    try {
      response = await withDeadline(options, long, serve(options, request, info, url.searchParams, (text) => warnings.push(text)))
    } catch (error) {
      const failure = toStatusError(error)
      if (failure.code === 500 && !(error instanceof StatusError)) options.log.error(error, 'Request failed', { method: request.method, uri: request.url })
      response = errorResponse(failure)
    }
    const finish = (code: number, bytes: number): void => {
      if (!long) options.metrics.inflight(kind, -1)
      else options.metrics.longRunning(info, -1)
      options.metrics.observe(info, request.method, code, (performance.now() - started) / 1000, long, url.searchParams.has('dryRun'), bytes)
    }
    if (!response) {
      finish(101, 0)
      return undefined
    }
    decorate(request, response, warnings)
    return counted(response, finish)
  }
}

async function serve(options: HandlerOptions, request: ApiRequest, info: RequestInfo, query: URLSearchParams, warn: (text: string) => void): Promise<ApiResponse | undefined> {
  const user = request.user ?? await options.authenticator.authenticate({ headers: request.headers, path: info.path, clientCertificates: request.clientCertificates })
  if (!user) throw unauthorized()
  const attributes: AuthorizationAttributes = {
    user, verb: info.verb, resourceRequest: info.isResourceRequest, path: info.path, namespace: info.namespace, apiGroup: info.apiGroup, apiVersion: info.apiVersion,
    resource: info.resource, subresource: info.subresource, name: info.name, fieldSelector: info.fieldSelector,
  }
  const { decision, reason } = await options.authorizer.authorize(attributes)
  if (decision !== 'allow') throw authorizationForbidden(attributes, reason)
  if (request.headers['accept']?.includes('yaml')) await loadYaml()
  if (info.isResourceRequest && info.resource !== '') {
    return routeResource({ deps: options.deps, request, info, query, user, warn }, options.servedGroupVersions())
  }
  const found = options.paths.find((p) => p.path === info.path || (p.path.endsWith('/') && info.path.startsWith(p.path)))
  if (!found) {
    if (info.apiPrefix === 'apis' || info.apiPrefix === 'api') throw pathNotFound()
    return textResponse(404, '404 page not found\n')
  }
  return found.handle(request, query, user)
}

/** Watches, logs and the like may last; everything else is cut off in time. */
function isLongRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || info.verb === 'proxy' || ['log', 'exec', 'attach', 'portforward', 'proxy'].includes(info.subresource)
}

async function withDeadline(options: HandlerOptions, long: boolean, work: Promise<ApiResponse | undefined>): Promise<ApiResponse | undefined> {
  if (long) return work
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timeout('request did not complete within the allotted timeout')), options.requestTimeoutSeconds * 1000)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}

function decorate(request: ApiRequest, response: ApiResponse, warnings: readonly string[]): void {
  const given = request.headers['audit-id']
  response.headers['audit-id'] = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
  response.headers['cache-control'] ??= 'no-cache, private'
  if (warnings.length > 0) response.headers['warning'] = [...new Set(warnings)].map((text) => `299 - ${quoted(text)}`)
}

/** A header's quoted string: backslash and quote escaped, control characters gone. */
function quoted(text: string): string {
  return `"${text.replace(/\p{Cc}/gu, ' ').replace(/[\\"]/g, '\\$&')}"`
}

function counted(response: ApiResponse, finish: (code: number, bytes: number) => void): ApiResponse {
  const { body } = response
  if (typeof body === 'string' || body instanceof Uint8Array) {
    finish(response.status, body.length)
    return response
  }
  return { ...response, body: countedStream(body, () => finish(response.status, 0)) }
}

async function* countedStream(body: AsyncIterable<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    done()
  }
}

