import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { errorText, healthAnswer, requestCredentials, type Authenticate, type HealthCheck, type Logger } from '@berth/kube'
import type { Extender } from '../core/extender.ts'
import { RequestError, UnavailableError } from '../errors.ts'
import type { ExtenderMetrics, Verb } from '../metrics.ts'
import { errorAnswer, filterAnswer, preemptAnswer, prioritizeAnswer } from '../wire/answers.ts'
import { readBindRequest, readNodesRequest, readPreemptRequest } from '../wire/requests.ts'
import { readBody } from './body.ts'
import type { BufferPool } from './buffers.ts'
import type { NodeReader } from '../wire/sent-node.ts'
import type { Gate } from './gate.ts'

export interface ServerOptions {
  readonly extender: Extender
  readonly address: string
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string }
  /** Absent: everybody may ask. */
  readonly authenticate?: Authenticate
  readonly allows: (user: { name: string; groups: string[] }) => boolean
  readonly buffers: BufferPool
  /** Remembers whole nodes between requests. */
  readonly nodeReader: NodeReader
  readonly limits: { readonly maxBodyBytes: number; readonly timeoutMs: number }
  readonly gate: Gate
  readonly metrics: ExtenderMetrics
  readonly readyChecks: Readonly<Record<string, HealthCheck>>
  readonly logger: Logger
}

export interface ExtenderServer {
  readonly port: number
  /** Takes no new requests, answers those it has, and closes. */
  close(): Promise<void>
}

const verbs: ReadonlySet<string> = new Set<Verb>(['filter', 'prioritize', 'preempt', 'bind'])

/** Serves the extender protocol under `/` and `/scheduler/`, metrics and health. */
export async function startServer(options: ServerOptions): Promise<ExtenderServer> {
  const { tls, logger } = options
  const server: Server = tls
    ? createHttpsServer({ cert: tls.cert, key: tls.key, ca: tls.clientCa, requestCert: tls.clientCa !== undefined, rejectUnauthorized: false, minVersion: 'TLSv1.2' })
    : createHttpServer()
  // kube-scheduler keeps its connections: Node's five seconds would close them under its hands.
  server.keepAliveTimeout = 120_000
  let closing = false
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (closing) response.setHeader('connection', 'close')
    serve(options, request, response).catch((error: unknown) => {
      logger.error(error, 'Request failed', { path: request.url })
      if (response.headersSent) response.destroy()
      else send(response, 500, errorAnswer('the extender failed; its log says why'))
    })
  })
  server.listen(options.port, options.address)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  return {
    port: address.port,
    async close() {
      closing = true
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), options.limits.timeoutMs)
      await closed
      clearTimeout(timer)
    },
  }
}

async function serve(options: ServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://extender')
  const [, health, rest = ''] = /^\/(healthz|livez|readyz)(?:\/(.*))?$/.exec(url.pathname) ?? []
  if (health !== undefined) {
    request.resume()
    const answer = await healthAnswer(health, health === 'readyz' ? options.readyChecks : {}, decodeURIComponent(rest), url.searchParams)
    return send(response, answer.status, Buffer.from(answer.body), 'text/plain; charset=utf-8')
  }
  const refusal = await refuse(options, request)
  if (refusal) {
    request.resume()
    return send(response, refusal.status, errorAnswer(refusal.message))
  }
  if (url.pathname === '/metrics' && request.method === 'GET') {
    request.resume()
    return send(response, 200, Buffer.from(await options.metrics.registry.metrics()), options.metrics.registry.contentType)
  }
  const verb = url.pathname.replace(/^\/(scheduler\/)?/, '')
  if (!isVerb(verb)) {
    request.resume()
    return send(response, 404, errorAnswer(`there is no ${url.pathname}; the verbs are ${[...verbs].join(', ')}, under / and /scheduler/`))
  }
  await answer(options, verb, request, response)
}

function isVerb(name: string): name is Verb {
  return verbs.has(name)
}

async function refuse({ authenticate, allows }: ServerOptions, request: IncomingMessage): Promise<{ status: number; message: string } | undefined> {
  if (!authenticate) return undefined
  const user = await authenticate(requestCredentials(request))
  if (!user) return { status: 401, message: 'Unauthorized: neither a client certificate of the right authority nor a known token was shown' }
  return allows(user) ? undefined : { status: 403, message: `Forbidden: user ${JSON.stringify(user.name)} may not ask this extender` }
}

/** Answers one verb in its time. filter and bind say in their answer what went wrong; prioritize and preempt have no place for it but the status. */
async function answer(options: ServerOptions, verb: Verb, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { gate, metrics, limits } = options
  const started = performance.now()
  const end = started + timeoutOf(request, limits.timeoutMs)
  const checkTime = (): void => {
    if (performance.now() > end) throw new UnavailableError('deadline', `the extender could not answer within ${Math.round(end - started)} ms`)
  }
  const finish = (result: string, status: number, body: Buffer | readonly Buffer[]): void => {
    metrics.request(verb, result, (performance.now() - started) / 1000)
    send(response, status, body)
  }
  let entered = false
  try {
    if (request.method !== 'POST') throw new RequestError(405, `${verb} is asked with POST, not ${request.method ?? ''}`)
    await gate.enter(end - performance.now())
    entered = true
    const body = await readBody(request, limits.maxBodyBytes, end - performance.now(), (bytes) => {
      const buffer = options.buffers.take(bytes)
      // The answer has pieces of it.
      response.once('close', () => options.buffers.give(buffer))
      return buffer
    })
    finish('ok', 200, await bodyOf(options, verb, body, checkTime))
  } catch (error) {
    request.resume()
    if (error instanceof RequestError) return finish('invalid', error.status, errorAnswer(error.message))
    if (!(error instanceof UnavailableError)) {
      options.logger.error(error, 'The extender failed', { verb })
      return finish('error', verb === 'filter' || verb === 'bind' ? 200 : 500, errorAnswer(errorText(error)))
    }
    if (error.reason === 'overload') {
      response.setHeader('retry-after', '1')
      return finish(error.reason, 429, errorAnswer(error.message))
    }
    finish(error.reason, verb === 'filter' || verb === 'bind' ? 200 : 503, errorAnswer(error.message))
  } finally {
    if (entered) gate.leave()
  }
}

/** A client may shorten the time by a header; kube-scheduler sends none. */
function timeoutOf(request: IncomingMessage, configured: number): number {
  const header = request.headers['x-berth-timeout-ms']
  const asked = typeof header === 'string' && /^\d{1,7}$/.test(header) ? Number(header) : configured
  return Math.min(asked, configured)
}

async function bodyOf({ extender, nodeReader }: ServerOptions, verb: Verb, body: Buffer, checkTime: () => void): Promise<Buffer | readonly Buffer[]> {
  switch (verb) {
    case 'filter': {
      const request = readNodesRequest(body, nodeReader)
      checkTime()
      return filterAnswer(request, extender.filter(request, checkTime))
    }
    case 'prioritize': {
      const request = readNodesRequest(body, nodeReader)
      checkTime()
      return prioritizeAnswer(extender.prioritize(request, checkTime))
    }
    case 'preempt': return preemptAnswer(extender.preempt(readPreemptRequest(body), checkTime))
    case 'bind': return errorAnswer(await extender.bind(readBindRequest(body), checkTime) ?? '')
  }
}

function send(response: ServerResponse, status: number, body: Buffer | readonly Buffer[], contentType = 'application/json'): void {
  const parts = Buffer.isBuffer(body) ? [body] : body
  response.writeHead(status, { 'content-type': contentType, 'content-length': parts.reduce((sum, part) => sum + part.length, 0), 'x-content-type-options': 'nosniff' })
  response.cork()
  for (const part of parts) response.write(part)
  response.end()
  response.uncork()
}
