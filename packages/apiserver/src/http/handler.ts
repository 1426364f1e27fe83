// One request's way: who is it, may they, where does it go, and what became of it. Used by sockets and by in-process transports alike.
import { randomUUID } from 'node:crypto'
import type { Aggregator } from '../aggregation/aggregator.ts'
import { authorizationForbidden } from '../authorization/index.ts'
import { pathNotFound, StatusError, timeout, unauthorized } from '../errors.ts'
import type { ApiRequest, ApiResponse, AuthorizationAttributes, Authenticator, Authorizer, RequestInfo, ServerLog, UserInfo } from '../interfaces.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { HandlerDependencies } from './context.ts'
import { requestTimeout } from './deadline.ts'
import { tooManyRequests } from './inflight.ts'
import type { InflightLimit } from './inflight.ts'
import { errorResponse, textResponse, toStatusError } from './respond.ts'
import { parseRequestInfo, splitTarget } from './request-info.ts'
import { routeResource } from './resource-router.ts'
import { headerBytes, warningHeaders } from './warnings.ts'
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
  inflight: InflightLimit
  /** Other servers behind this one. */
  aggregator: Pick<Aggregator, 'passOn'>
}

/** Answers a request; undefined when the connection was taken over. Never rejects. */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse | undefined>

/** Builds the handler. */
export function createHandler(options: HandlerOptions): ApiHandler {
  return async (request) => {
    const started = performance.now()
    const { path, query } = splitTarget(request.url)
    const info = parseRequestInfo(request.method, path, query)
    const warnings: string[] = []
    const long = isLongRunning(info)
    const labels = servedInfo(options.deps, info)
    const kind = ['GET', 'HEAD'].includes(request.method) ? 'readOnly' : 'mutating'
    if (!long) options.metrics.inflight(kind, 1)
    else options.metrics.longRunning(labels, 1)
    let response: ApiResponse | undefined
    try {
      response = await served(options, request, info, query, long, (text) => warnings.push(text))
    } catch (error) {
      const failure = toStatusError(error)
      if (failure.code === 500 && !(error instanceof StatusError)) options.log.error(error, 'Request failed', { method: request.method, uri: request.url })
      response = errorResponse(failure)
    }
    const finish = (code: number, bytes: number): void => {
      if (!long) options.metrics.inflight(kind, -1)
      else options.metrics.longRunning(labels, -1)
      options.metrics.observe(labels, request.method, code, (performance.now() - started) / 1000, long, query.has('dryRun'), bytes)
    }
    if (!response) {
      finish(101, 0)
      return undefined
    }
    decorate(request, response, warnings)
    return counted(request, response, finish)
  }
}

async function served(options: HandlerOptions, request: ApiRequest, info: RequestInfo, query: URLSearchParams, long: boolean, warn: (text: string) => void): Promise<ApiResponse | undefined> {
  if (long) return serve(options, request, info, query, undefined, warn)
  let limitMs: number
  try {
    limitMs = requestTimeout(query, options.requestTimeoutSeconds * 1000)
  } catch (error) {
    return textResponse(400, `Error - ${error instanceof Error ? error.message : String(error)}: ${JSON.stringify(request.url)}\n`)
  }
  return withDeadline(limitMs, serve(options, request, info, query, limitMs, warn))
}

async function serve(options: HandlerOptions, request: ApiRequest, info: RequestInfo, query: URLSearchParams, limitMs: number | undefined, warn: (text: string) => void): Promise<ApiResponse | undefined> {
  const user = request.user ?? await options.authenticator.authenticate({ headers: request.headers, ...(request.rawHeaders && { rawHeaders: request.rawHeaders }), path: info.path, clientCertificates: request.clientCertificates })
  if (!user) throw unauthorized()
  const attributes: AuthorizationAttributes = {
    user, verb: info.verb, resourceRequest: info.isResourceRequest, path: info.path, namespace: info.namespace, apiGroup: info.apiGroup, apiVersion: info.apiVersion,
    resource: info.resource, subresource: info.subresource, name: info.name, fieldSelector: info.fieldSelector,
  }
  // Parts within this process are bounded by themselves, and are not to wait for clients from outside.
  const leave = request.user || isLongRunning(info) ? () => {} : options.inflight.enter(info, user)
  if (!leave) {
    options.metrics.terminated(servedInfo(options.deps, info), request.method, 429)
    return tooManyRequests()
  }
  try {
    const { decision, reason } = await options.authorizer.authorize(attributes)
    if (decision !== 'allow') throw authorizationForbidden(attributes, reason)
    return await route(options, request, info, query, user, limitMs, warn)
  } finally {
    leave()
  }
}

async function route(options: HandlerOptions, request: ApiRequest, info: RequestInfo, query: URLSearchParams, user: UserInfo, limitMs: number | undefined, warn: (text: string) => void): Promise<ApiResponse | undefined> {
  const passedOn = options.aggregator.passOn({ request, info, query, user, limitMs })
  if (passedOn) return passedOn
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

async function withDeadline(limitMs: number, work: Promise<ApiResponse | undefined>): Promise<ApiResponse | undefined> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timeout('request did not complete within the allotted timeout')), limitMs)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}

function decorate(request: ApiRequest, response: ApiResponse, warnings: readonly string[]): void {
  const given = request.headers['audit-id']
  response.headers['audit-id'] = given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : response.headers['audit-id'] ?? randomUUID()
  response.headers['cache-control'] ??= 'no-cache, private'
  // In-process clients are handed text; on the wire it is bytes.
  if (warnings.length > 0) response.headers['warning'] = warningHeaders(warnings).map((value) => (request.user ? value : headerBytes(value)))
}

/** Metrics carry the names of what is served only: a client could make up any number of others. */
function servedInfo({ registry, virtualResources }: HandlerDependencies, info: RequestInfo): RequestInfo {
  if (!info.isResourceRequest) return info
  const { apiGroup: group, apiVersion: version, resource } = info
  const served = registry.runtime(group, resource, version)?.definition.resource
    ?? virtualResources.find((v) => v.resource.group === group && v.resource.version === version && v.resource.resource === resource)?.resource
  if (!served) return { ...info, apiGroup: '', apiVersion: '', resource: '', subresource: '' }
  return info.subresource === '' || served.subresources.some((s) => s.name === info.subresource) ? info : { ...info, subresource: '' }
}

function counted(request: ApiRequest, response: ApiResponse, finish: (code: number, bytes: number) => void): ApiResponse {
  const { body } = response
  if (typeof body === 'string' || body instanceof Uint8Array) {
    finish(response.status, body.length)
    return response
  }
  // A stream that nobody comes to read ends with its client.
  let open = true
  const done = (): void => {
    request.signal.removeEventListener('abort', done)
    if (open) finish(response.status, 0)
    open = false
  }
  request.signal.addEventListener('abort', done)
  if (request.signal.aborted) done()
  return { ...response, body: countedStream(body, done) }
}

async function* countedStream(body: AsyncIterable<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    done()
  }
}

