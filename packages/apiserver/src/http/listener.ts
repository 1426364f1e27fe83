// The TLS listener: HTTP/2 and HTTP/1.1 on one port by ALPN, upgrades on HTTP/1.1.
import http2 from 'node:http2'
import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { gzip } from 'node:zlib'
import { promisify } from 'node:util'
import { requestEntityTooLarge } from '../errors.ts'
import type { ApiRequest, ApiResponse, ServerCertificates, ServerLog } from '../interfaces.ts'
import type { ApiHandler } from './handler.ts'

const gzipBytes = promisify(gzip)
/** Upstream compresses answers from this size on. */
const gzipThreshold = 128 * 1024
const gzipLevel = 1

export interface ListenerOptions {
  address: string
  port: number
  certificates: ServerCertificates
  maxRequestBytes: number
  handler: ApiHandler
  log: ServerLog
}

export interface Listener {
  port: number
  /** Takes new certificates for new connections. */
  setCertificates(certificates: ServerCertificates): void
  /** Stops listening, aborts what is running, resolves when every connection is closed. */
  close(): Promise<void>
}

/** Listens; rejects when the port is taken. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const stopping = new AbortController()
  const server: Http2SecureServer = http2.createSecureServer({
    allowHTTP1: true, cert: options.certificates.servingCert, key: options.certificates.servingKey, minVersion: 'TLSv1.2',
    ...clientAuthorities(options.certificates), requestCert: true, rejectUnauthorized: false,
    settings: { maxConcurrentStreams: 250, initialWindowSize: 1024 * 1024 }, maxSessionMemory: 64,
  })
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('session', (session) => {
    session.on('error', () => {})
    stopping.signal.addEventListener('abort', () => session.close(), { once: true })
  })
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => void serveRequest(options, stopping.signal, request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void serveUpgrade(options, stopping.signal, request, socket, head))
  server.on('tlsClientError', () => {})
  server.on('sessionError', () => {})
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => options.log.error(error, 'The listener failed'))
  return {
    port: (server.address() as AddressInfo).port,
    setCertificates(certificates) {
      server.setSecureContext({ cert: certificates.servingCert, key: certificates.servingKey, ...clientAuthorities(certificates) })
    },
    async close() {
      stopping.abort(new Error('the server is stopping'))
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // What is not gone after a moment was idle or does not listen.
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, 500)
      await closed
      clearTimeout(timer)
    },
  }
}

/** The authorities that are named to clients, which choose their certificate by them. */
function clientAuthorities({ clientCa, requestHeaderCa }: ServerCertificates): { ca?: string[] } {
  const ca = [clientCa, requestHeaderCa].filter((each) => each !== undefined && each !== '')
  return ca.length > 0 ? { ca: ca as string[] } : {}
}

function lowerHeaders(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  const out: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':')) continue
    out[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return out
}

const chains = new WeakMap<object, Uint8Array[]>()

/** The client's certificates as TLS saw them, leaf first: the same array for every request of a connection. */
function clientCertificates(socket: unknown): Uint8Array[] {
  const tls = socket as Partial<TLSSocket> | undefined
  if (typeof tls?.getPeerX509Certificate !== 'function') return []
  const known = chains.get(tls)
  if (known) return known
  const out: Uint8Array[] = []
  for (let at = tls.getPeerX509Certificate(); at; at = at.issuerCertificate) {
    if (out.length > 8) break
    out.push(at.raw)
  }
  chains.set(tls, out)
  return out
}

function bodyReader(request: IncomingMessage | Http2ServerRequest, limit: number): () => Promise<Uint8Array> {
  let reading: Promise<Uint8Array> | undefined
  const tooLarge = (): Error => requestEntityTooLarge(`limit is ${limit}`)
  const read = async (): Promise<Uint8Array> => {
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge()
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) throw tooLarge()
      chunks.push(chunk)
    }
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
  }
  return () => (reading ??= read())
}

function toApiRequest(options: ListenerOptions, stop: AbortSignal, request: IncomingMessage | Http2ServerRequest, gone: AbortSignal, upgrade?: ApiRequest['upgrade']): ApiRequest {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket
  return {
    method: request.method ?? 'GET', url: request.url ?? '/', headers: lowerHeaders(request.headers), rawHeaders: request.rawHeaders, body: bodyReader(request, options.maxRequestBytes),
    ...(!upgrade && { bodyStream: request }),
    signal: AbortSignal.any([stop, gone]), remoteAddress: socket?.remoteAddress ?? '', clientCertificates: clientCertificates(socket), ...(upgrade && { upgrade }),
  }
}

async function serveRequest(options: ListenerOptions, stop: AbortSignal, request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort(new Error('the client went away')))
  response.on('error', () => {})
  request.on('error', () => {})
  try {
    const answer = await options.handler(toApiRequest(options, stop, request, gone.signal))
    if (!answer) return
    if (!request.complete) request.resume()
    await send(request, response, answer)
  } catch (error) {
    if (!gone.signal.aborted) options.log.error(error, 'Answering failed', { uri: request.url })
    response.stream?.destroy?.()
    response.destroy?.()
  }
}

async function send(request: Http2ServerRequest, response: Http2ServerResponse, answer: ApiResponse): Promise<void> {
  const { body } = answer
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value)
  const acceptsGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  if (typeof body === 'string' || body instanceof Uint8Array) {
    let bytes: Uint8Array = typeof body === 'string' ? Buffer.from(body) : body
    if (acceptsGzip && bytes.length >= gzipThreshold) {
      bytes = await gzipBytes(bytes, { level: gzipLevel })
      response.setHeader('content-encoding', 'gzip')
      response.setHeader('vary', 'Accept-Encoding')
    }
    response.setHeader('content-length', bytes.length)
    response.writeHead(answer.status)
    if (request.method === 'HEAD') response.end()
    else response.end(bytes)
    return
  }
  response.writeHead(answer.status)
  // HTTP/1.1 holds the head back until the first chunk; HTTP/2 has sent it.
  if ('flushHeaders' in response && typeof response.flushHeaders === 'function') response.flushHeaders()
  for await (const chunk of body) {
    if (response.destroyed || response.writableEnded) break
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

function drained(response: Http2ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

async function serveUpgrade(options: ListenerOptions, stop: AbortSignal, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const gone = new AbortController()
  socket.on('close', () => gone.abort(new Error('the client went away')))
  socket.on('error', () => {})
  try {
    const answer = await options.handler(toApiRequest(options, stop, request, gone.signal, { socket, head }))
    if (answer) await writeRaw(socket, answer)
  } catch (error) {
    options.log.error(error, 'Upgrading failed', { uri: request.url })
    socket.destroy()
  }
}

/** An answer to an upgrade that was refused or is none of ours: written by hand, since the socket is no longer the HTTP server's. */
async function writeRaw(socket: Duplex, answer: ApiResponse): Promise<void> {
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`]
  for (const [name, value] of Object.entries(answer.headers)) for (const v of [value].flat()) lines.push(`${name}: ${v}`)
  if (typeof answer.body === 'string' || answer.body instanceof Uint8Array) {
    const bytes = Buffer.from(answer.body)
    socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\ncontent-length: ${bytes.length}\r\nconnection: close\r\n\r\n`), bytes]))
    return
  }
  socket.write(`${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`)
  for await (const chunk of answer.body) socket.write(chunk)
  socket.end()
}
