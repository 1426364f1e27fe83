import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { TransportError, UsageError } from '../errors.ts'
import { errorText } from '../logging/create-logger.ts'
import type { HttpsTransportOptions, Transport, TransportRequest, TransportResponse } from './transport.ts'

/** How long a server may take until its answer's headers. */
const headersTimeoutMs = 60_000

/**
 * A transport over HTTP/1.1 with kept-alive connections (`node:https`; `http://` servers are spoken to in the clear). A request that
 * failed because a kept connection had been closed is repeated once on a new one, where that is safe.
 */
export function httpsTransport(options: HttpsTransportOptions): Transport {
  const url = parseServer(options.server)
  const secure = url.protocol === 'https:'
  const base = url.pathname.replace(/\/+$/, '')
  const agentOptions = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 64, scheduling: 'lifo' as const }
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions)
  let closed = false

  const send = async (request: TransportRequest, repeat: boolean): Promise<TransportResponse> => {
    if (closed) throw new TransportError('closed', 'the transport is closed')
    request.signal?.throwIfAborted()
    const headers: Record<string, string> = { ...options.headers, ...request.headers }
    const token = typeof options.token === 'function' ? await options.token() : options.token
    if (token !== undefined && token !== '') headers['authorization'] ??= `Bearer ${token}`
    const certificate = await options.clientCertificate?.() ?? { cert: options.cert, key: options.key }
    const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body
    if (body !== undefined) headers['content-length'] = String(body.byteLength)
    const requestOptions: RequestOptions & Record<string, unknown> = {
      agent, method: request.method, headers, path: base + request.path, hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? (secure ? 443 : 80) : url.port,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      ...(secure ? { ca: options.ca, cert: certificate.cert, key: certificate.key, rejectUnauthorized: options.insecureSkipVerify !== true } : {}),
      ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
    }
    const outgoing = secure ? httpsRequest(requestOptions) : httpRequest(requestOptions)
    try {
      const incoming = await exchange(outgoing, body)
      return { status: incoming.statusCode ?? 0, headers: joinHeaders(incoming), body: responseBody(incoming, request) }
    } catch (error) {
      const safe = ['GET', 'HEAD', 'OPTIONS'].includes(request.method)
      if (repeat && safe && outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET' && request.signal?.aborted !== true) return send(request, false)
      throw failure(error, request, options.server)
    }
  }

  return {
    request: (request) => send(request, true).catch((error: unknown) => {
      throw error instanceof TransportError ? error : failure(error, request, options.server)
    }),
    async close() {
      closed = true
      agent.destroy()
    },
  }
}

function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) throw new UsageError(`server: ${JSON.stringify(server)} is not an http(s) URL`)
  return url
}

function exchange(outgoing: ClientRequest, body: Uint8Array | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => outgoing.destroy(new TransportError('timeout', `no answer within ${headersTimeoutMs / 1000} s`)), headersTimeoutMs)
    outgoing.once('response', (incoming) => {
      clearTimeout(timer)
      resolve(incoming)
    })
    // Stays on: a connection that breaks later reports here too, and must not be an unhandled error.
    outgoing.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    outgoing.once('socket', (socket) => socket.setNoDelay(true))
    outgoing.end(body)
  })
}

/** Answers' bodies as the contract wants them: `return()` frees the connection even before the first `next()`. */
function responseBody(incoming: IncomingMessage, request: TransportRequest): AsyncIterable<Uint8Array> {
  // Errors are given to whoever reads; unread, they must not end the process.
  incoming.on('error', () => {})
  return {
    [Symbol.asyncIterator]() {
      const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
      return {
        async next() {
          try {
            return await chunks.next()
          } catch (error) {
            if (request.signal?.aborted === true) throw aborted(request)
            throw new TransportError('broken', `${request.method} ${request.path}: the answer broke off`, { cause: error })
          }
        },
        async return() {
          incoming.destroy()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

function joinHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers)) if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return headers
}

function aborted(request: TransportRequest): TransportError {
  return new TransportError('aborted', `${request.method} ${request.path}: aborted`, { cause: request.signal?.reason })
}

function failure(error: unknown, request: TransportRequest, server: string): TransportError {
  if (request.signal?.aborted === true) return aborted(request)
  if (error instanceof TransportError) return error
  return new TransportError('unreachable', `${request.method} ${server}${request.path}: ${errorText(error)}`, { cause: error })
}
