// The TLS listener: HTTP/2 and HTTP/1.1 on one port by ALPN, upgrades on HTTP/1.1.
import http2 from 'node:http2'
import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { ApiRequest, ServerCertificates, ServerLog } from '../interfaces.ts'
import { send, writeRaw } from './answers.ts'
import type { ApiHandler } from './handler.ts'
import { bodyReader } from './request-body.ts'
import { connectionTimeouts, Sessions } from './sessions.ts'
import type { ConnectionTimeouts } from './sessions.ts'

/** How long a request's line and headers may be in all: Go's, and upstream's. */
const maxHeaderBytes = 1024 * 1024
/** A client that does not answer the kernel's probes after so long without a word is gone. */
const keepAliveDelayMs = 30_000

export interface ListenerOptions {
  address: string
  port: number
  certificates: ServerCertificates
  maxRequestBytes: number
  handler: ApiHandler
  log: ServerLog
  timeouts?: ConnectionTimeouts
}

export interface Listener {
  port: number
  /** Takes new certificates for new connections. */
  setCertificates(certificates: ServerCertificates): void
  /** Stops listening, aborts what is running, resolves when every connection is closed. */
  close(): Promise<void>
}

/** For HTTP/1.1; Node's types do not name them here. How long a body may take is the handler's to say. */
const http1Options = (timeouts: ConnectionTimeouts) => ({
  maxHeaderSize: maxHeaderBytes, requestTimeout: 0, headersTimeout: timeouts.headers, keepAliveTimeout: timeouts.idle, connectionsCheckingInterval: Math.min(timeouts.headers, 10_000),
  // A body would be lost with the upgrade: such a request is an ordinary one.
  shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0,
})
const tcpOptions = { keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs }

const stopped = new Error('the server is stopping')
const left = new Error('the client went away')

/** Listens; rejects when the port is taken. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const running = new Set<AbortController>()
  const timeouts = options.timeouts ?? connectionTimeouts
  const sessions = new Sessions(timeouts)
  const server: Http2SecureServer = http2.createSecureServer({
    allowHTTP1: true, cert: options.certificates.servingCert, key: options.certificates.servingKey, minVersion: 'TLSv1.2',
    ...clientAuthorities(options.certificates), requestCert: true, rejectUnauthorized: false,
    settings: { maxConcurrentStreams: 250, initialWindowSize: 1024 * 1024, maxHeaderListSize: maxHeaderBytes }, maxSessionMemory: 64,
    handshakeTimeout: timeouts.headers, ...http1Options(timeouts), ...tcpOptions,
  })
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('session', (session) => sessions.add(session))
  server.on('request', (request: Http2ServerRequest, response: Http2ServerResponse) => void serveRequest(options, running, request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void serveUpgrade(options, running, request, socket, head))
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
      for (const each of running) each.abort(stopped)
      sessions.close()
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

function toApiRequest(options: ListenerOptions, request: IncomingMessage | Http2ServerRequest, signal: AbortSignal, upgrade?: ApiRequest['upgrade']): ApiRequest {
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket
  return {
    method: request.method ?? 'GET', url: request.url ?? '/', headers: lowerHeaders(request.headers), rawHeaders: request.rawHeaders, body: bodyReader(request, options.maxRequestBytes, signal),
    ...(!upgrade && { bodyStream: request }),
    signal, remoteAddress: socket?.remoteAddress ?? '', clientCertificates: clientCertificates(socket), ...(upgrade && { upgrade }),
  }
}

async function serveRequest(options: ListenerOptions, running: Set<AbortController>, request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
  const gone = new AbortController()
  running.add(gone)
  response.on('close', () => {
    running.delete(gone)
    gone.abort(left)
  })
  response.on('error', () => {})
  request.on('error', () => {})
  try {
    const answer = await options.handler(toApiRequest(options, request, gone.signal))
    if (answer) await send(request, response, answer)
  } catch (error) {
    if (!gone.signal.aborted) options.log.error(error, 'Answering failed', { uri: request.url })
    response.stream?.destroy?.()
    response.destroy?.()
  }
}

async function serveUpgrade(options: ListenerOptions, running: Set<AbortController>, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const gone = new AbortController()
  running.add(gone)
  socket.on('close', () => {
    running.delete(gone)
    gone.abort(left)
  })
  socket.on('error', () => {})
  try {
    const answer = await options.handler(toApiRequest(options, request, gone.signal, { socket, head }))
    if (answer) await writeRaw(socket, answer)
  } catch (error) {
    if (!gone.signal.aborted) options.log.error(error, 'Upgrading failed', { uri: request.url })
    socket.destroy()
  }
}
