// Every path that is no resource: discovery, health, version, metrics, OpenAPI.
import type { ApiResponse, SecurityParts } from '../interfaces.ts'
import type { Aggregator } from '../aggregation/aggregator.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { Discovery } from './discovery.ts'
import type { PathHandler } from './handler.ts'
import type { HealthCheck } from './health.ts'
import { healthResponse } from './health.ts'
import { wantsPretty } from './media-types.ts'
import { openApiPaths } from './openapi.ts'
import { splitTarget } from './request-info.ts'
import { jsonResponse, textResponse } from './respond.ts'
import { methodNotAllowed } from '../errors.ts'
import { versionInfo } from './version.ts'

const notFoundText = (): ApiResponse => textResponse(404, '404 page not found\n')

/** The server's own paths. */
export function serverPaths(parts: { discovery: Discovery, aggregator: Pick<Aggregator, 'openApiV2' | 'openApiV3'>, checks: readonly HealthCheck[], metrics: ServerMetrics, security: SecurityParts['paths'] }): PathHandler[] {
  const { discovery, checks, metrics } = parts
  const discover: PathHandler['handle'] = (request, query) => {
    const { path } = splitTarget(request.url)
    const found = discovery.document(path, request.headers['accept'])
    if (!found) return notFoundText()
    if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed()
    return jsonResponse(200, found.body, { format: 'json', contentType: found.contentType }, wantsPretty(query, request.headers['user-agent']))
  }
  const health: PathHandler['handle'] = async (request, query) => await healthResponse(splitTarget(request.url).path, query, checks) ?? notFoundText()
  return [
    ...['/api', '/api/', '/apis', '/apis/'].map((path) => ({ path, handle: discover })),
    ...['/healthz', '/livez', '/readyz', '/healthz/', '/livez/', '/readyz/'].map((path) => ({ path, handle: health })),
    { path: '/version', handle: (request, query) => jsonResponse(200, versionInfo(), undefined, wantsPretty(query, request.headers['user-agent']) || query.get('pretty') === null) },
    { path: '/metrics', handle: async () => ({ status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }, body: await metrics.registry.metrics() }) },
    ...openApiPaths(discovery, parts.aggregator),
    ...parts.security.map((p): PathHandler => ({ path: p.path, handle: (request) => p.handle(request) })),
    { path: '/', handle: (request) => rootPaths(splitTarget(request.url).path, discovery) },
  ]
}

/** `/` lists where one can go. */
function rootPaths(path: string, discovery: Discovery): ApiResponse {
  if (path !== '/') return notFoundText()
  const groups = discovery.listedGroupVersions.filter((gv) => gv.includes('/'))
  const names = [...new Set(groups.map((gv) => gv.split('/')[0] ?? ''))]
  const paths = ['/api', '/api/v1', '/apis', ...names.map((g) => `/apis/${g}`), ...groups.map((gv) => `/apis/${gv}`), '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version']
  return jsonResponse(200, { paths: paths.sort() }, undefined, true)
}

