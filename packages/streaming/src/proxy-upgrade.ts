import { type IncomingMessage, request as httpRequest, STATUS_CODES } from 'node:http'
import { type RequestOptions, request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { answerUpgrade, refuseUpgrade, type UpgradeAnswer } from './http-upgrade.ts'

/** How an upgrade is passed on. */
export interface ProxyUpgradeOptions {
  /** For an https: target: who is trusted and who we are. */
  tls?: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>
  /** Headers to add to or replace in the request; undefined removes one. `Authorization` is never passed on by itself. */
  headers?: Record<string, string | undefined>
  signal?: AbortSignal
  /** The answer where the target cannot be reached; a 502 with the error's words when absent. */
  unreachable?(error: Error): UpgradeAnswer
}

/** Headers that belong to the client's own hop. */
const ownHeaders = new Set(['host', 'authorization', 'content-length', 'transfer-encoding', 'proxy-connection', 'keep-alive'])

/**
 * Passes an HTTP/1.1 upgrade request on to another server and then copies bytes both ways, whatever protocol they are. A target's
 * ordinary answer is passed back as it is. Resolves when the connection is over; never rejects: a target that cannot be reached is a 502, unless told otherwise.
 */
export function proxyUpgrade(request: Pick<IncomingMessage, 'method' | 'headers'>, socket: Duplex, head: Buffer, target: string, options: ProxyUpgradeOptions = {}): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
    const headers: Record<string, string | string[] | undefined> = {}
    for (const [name, value] of Object.entries(request.headers)) if (!ownHeaders.has(name)) headers[name] = value
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value
    for (const [name, value] of Object.entries(headers)) if (value === undefined) delete headers[name]
    const upstream = (target.startsWith('https:') ? httpsRequest : httpRequest)(target, {
      method: request.method,
      agent: false,
      headers: headers as Record<string, string | string[]>,
      signal: options.signal,
      ...options.tls,
    })
    const abandon = (): void => void upstream.destroy()
    socket.on('error', abandon)
    socket.on('close', abandon)
    upstream.on('upgrade', (response, upstreamSocket, upstreamHead) => {
      socket.off('error', abandon)
      socket.off('close', abandon)
      socket.write(responseHead(response))
      join(socket, upstreamSocket, head, upstreamHead)
    })
    upstream.on('response', (response) => {
      socket.write(responseHead(response, 'close'))
      // The body goes on undecoded, so its end is the connection's.
      response.pipe(socket)
    })
    upstream.on('error', (error) => {
      if (options.unreachable) answerUpgrade(socket, options.unreachable(error))
      else refuseUpgrade(socket, 502, `error dialing backend: ${error.message}`)
    })
    upstream.end()
  })
}

function responseHead(response: IncomingMessage, connection?: string): string {
  const lines = [`HTTP/1.1 ${response.statusCode ?? 502} ${response.statusMessage || STATUS_CODES[response.statusCode ?? 502] || ''}`]
  for (let index = 0; index + 1 < response.rawHeaders.length; index += 2) {
    const name = response.rawHeaders[index] ?? ''
    if (connection && ['connection', 'transfer-encoding', 'keep-alive'].includes(name.toLowerCase())) continue
    lines.push(`${name}: ${response.rawHeaders[index + 1] ?? ''}`)
  }
  if (connection) lines.push(`Connection: ${connection}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** How long a side may take to read the rest and close after the other side has. */
const lingerMs = 5000

function join(client: Duplex, upstream: Duplex, clientHead: Buffer, upstreamHead: Buffer): void {
  if (upstreamHead.length > 0) client.write(upstreamHead)
  if (clientHead.length > 0) upstream.write(clientHead)
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.on('close', () => {
      if (!to.writableEnded) to.end()
      // Nobody takes what it still sends, but its end must be seen.
      to.resume()
      const timer = setTimeout(() => to.destroy(), lingerMs)
      to.once('close', () => clearTimeout(timer))
    })
  }
}
