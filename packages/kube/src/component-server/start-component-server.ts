import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { UsageError } from '../errors.ts'
import { silentLogger } from '../logging/create-logger.ts'
import type { RequestUser } from '../transport/transport.ts'
import type { ComponentServer, ComponentServerOptions } from './component-server.ts'
import { requestCredentials } from './credentials.ts'
import { healthAnswer } from './health.ts'

const anonymous: RequestUser = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const maxBodyBytes = 3 * 1024 * 1024
const healthPaths = ['/healthz', '/livez', '/readyz']

/** Serves a component's `/metrics`, health endpoints and `/configz`. Without `authorize` it may listen on loopback addresses only. */
export async function startComponentServer(options: ComponentServerOptions): Promise<ComponentServer> {
  if (options.authorize === undefined && !/^(127\.|::1$|localhost$)/.test(options.address)) {
    throw new UsageError(`${options.name}: address ${options.address}: only loopback addresses are served without authorization`)
  }
  const { logger = silentLogger(), tls } = options
  const server: Server = tls === undefined
    ? createHttpServer()
    : createHttpsServer({ cert: tls.cert, key: tls.key, ca: tls.clientCa, requestCert: tls.clientCa !== undefined, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
  server.on('request', (request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      logger.error(error, 'Request failed', { path: request.url })
      if (!response.headersSent) send(response, 500, 'text/plain; charset=utf-8', 'Internal Server Error\n')
      else response.destroy()
    })
  })
  server.listen(options.port, options.address)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new UsageError(`${options.name}: no port`)
  return {
    port: address.port,
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function serve(options: ComponentServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://component')
  const refusal = await refuse(options, request, url.pathname)
  const endpoint = Object.hasOwn(options.endpoints ?? {}, url.pathname) ? options.endpoints?.[url.pathname] : undefined
  if (refusal !== undefined || endpoint === undefined) request.resume()
  if (refusal !== undefined) return sendStatus(response, refusal.code, refusal.reason, refusal.message)
  if (endpoint !== undefined) {
    const body = await bodyOf(request)
    if (body === undefined) return sendStatus(response, 413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`)
    const answer = await endpoint({ method: request.method ?? 'GET', query: url.searchParams, body })
    return send(response, answer.status, answer.contentType, answer.body)
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(response, 405, 'text/plain; charset=utf-8', 'Method Not Allowed\n')
  const health = healthPaths.find((path) => url.pathname === path || url.pathname.startsWith(`${path}/`))
  if (health !== undefined) {
    const checks = health === '/readyz' ? { ...options.checks, ...options.readyChecks } : options.checks ?? {}
    const answer = await healthAnswer(health.slice(1), checks, decodeURIComponent(url.pathname.slice(health.length + 1)), url.searchParams)
    if (answer.failures.length > 0) options.logger?.v(1).info('Health check failed', { endpoint: health, failures: answer.failures.join('; ') })
    return send(response, answer.status, 'text/plain; charset=utf-8', answer.body)
  }
  if (url.pathname === '/metrics' && options.metrics !== undefined) return send(response, 200, options.metrics.contentType, await options.metrics.metrics())
  if (url.pathname === '/configz' && options.config !== undefined) return send(response, 200, 'application/json', JSON.stringify(options.config()))
  send(response, 404, 'text/plain; charset=utf-8', '404 page not found\n')
}

/** A request's body; undefined where it is too large (the rest is read and dropped). */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= maxBodyBytes) chunks.push(chunk)
  }
  return bytes > maxBodyBytes ? undefined : Buffer.concat(chunks).toString('utf8')
}

/** Why a request may not be served; undefined where it may. */
async function refuse(options: ComponentServerOptions, request: IncomingMessage, path: string): Promise<{ code: number; reason: string; message: string } | undefined> {
  const open = options.alwaysAllowPaths ?? healthPaths
  if (options.authorize === undefined || open.some((allowed) => path === allowed || path.startsWith(`${allowed}/`))) return undefined
  const credentials = requestCredentials(request)
  const user = await options.authenticate?.(credentials)
  if (user === undefined && credentials.bearerToken !== undefined) return { code: 401, reason: 'Unauthorized', message: 'Unauthorized' }
  const verb = (request.method ?? 'GET').toLowerCase()
  const who = user ?? anonymous
  const { allowed } = await options.authorize({ user: who, verb, path })
  return allowed ? undefined : { code: 403, reason: 'Forbidden', message: `forbidden: User ${JSON.stringify(who.name)} cannot ${verb} path ${JSON.stringify(path)}` }
}

function sendStatus(response: ServerResponse, code: number, reason: string, message: string): void {
  send(response, code, 'application/json', JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...(code === 403 ? { details: {} } : {}), code }))
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache, private' })
  response.end(body)
}
