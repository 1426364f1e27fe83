import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { Readable } from 'node:stream'
import type { ApiRequest, ApiResponse } from '../interfaces.ts'

/** TLS towards a backend: who we are and whom we trust. */
export type BackendTls = Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>

const agents = { secure: new Agent({ keepAlive: true, timeout: 60_000 }), plain: new HttpAgent({ keepAlive: true, timeout: 60_000 }) }
const dialTimeoutMs = 30_000
/** Headers that belong to one hop, or to this server alone. */
const dropped = new Set([
  'connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'host', 'authorization', 'content-length',
  'proxy-connection', 'http2-settings', 'expect',
])

/** Headers of a request that a backend may see. */
export function forwardedHeaders(request: ApiRequest): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !dropped.has(name) && !name.startsWith(':') && !name.startsWith('impersonate-')) headers[name] = value
  }
  return headers
}

/** What is sent to a backend. */
export interface BackendRequest {
  readonly method: string
  readonly headers: Record<string, string | string[]>
  /** Bytes with their length, or a stream that is passed on as it comes. */
  readonly body?: Uint8Array | Readable
  readonly signal: AbortSignal
  readonly tls?: BackendTls
}

/**
 * Sends a request to a backend; resolves with its answer's head, the body still to be read. Rejects where it cannot be reached. A kept connection
 * that turns out to be closed is replaced by a new one, where nothing of the body is gone.
 */
export async function sendToBackend(url: string, request: BackendRequest): Promise<IncomingMessage> {
  try {
    return await sendOnce(url, request)
  } catch (error) {
    if (!(error instanceof ClosedWhileKept) || request.body instanceof Readable) throw error
    return sendToBackend(url, request)
  }
}

class ClosedWhileKept extends Error {}

function sendOnce(url: string, request: BackendRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { body } = request
    const secure = url.startsWith('https:')
    const outgoing = (secure ? httpsRequest : httpRequest)(url, {
      method: request.method, signal: request.signal, agent: secure ? agents.secure : agents.plain,
      headers: { ...request.headers, ...(body instanceof Uint8Array && body.length > 0 && { 'content-length': String(body.length) }) },
      ...(secure && request.tls),
    }, resolve)
    // A node that is gone answers nothing at all: waiting for it ends here, not with the kernel's patience.
    const dialing = setTimeout(() => outgoing.destroy(new Error(`dial tcp ${new URL(url).host}: i/o timeout`)), dialTimeoutMs)
    outgoing.on('socket', (socket) => {
      const connected = (): void => clearTimeout(dialing)
      if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', connected)
      else connected()
    })
    outgoing.on('close', () => clearTimeout(dialing))
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const closed = outgoing.reusedSocket && error.code === 'ECONNRESET'
      reject(new (closed ? ClosedWhileKept : Error)(`${goMethod(request.method)} ${JSON.stringify(url)}: ${error.message}`, { cause: error }))
    })
    if (body instanceof Readable) {
      body.on('error', (error) => outgoing.destroy(error))
      body.pipe(outgoing)
    } else outgoing.end(body)
  })
}

/** Passes a backend's answer on as it comes; reading it slowly slows the backend down. */
export function streamedAnswer(answer: IncomingMessage, headers: Record<string, string | string[]>): ApiResponse {
  return { status: answer.statusCode ?? 502, headers, body: answer }
}

/** A backend's own headers, without those of its hop. */
export function answerHeaders(answer: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined && (!dropped.has(name) || name === 'content-length')) headers[name] = value
  return headers
}

/** The first `limit` bytes of an answer as text; the rest is thrown away. */
export async function textOf(answer: IncomingMessage, limit = 50_000): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size >= limit) break
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8')
}

function goMethod(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase()
}
