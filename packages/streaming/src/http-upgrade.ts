import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { UpgradeError } from './errors.ts'

/** The longest WebSocket message that is taken; clients send 32 KiB at most. */
const maxMessageBytes = 4 * 1024 * 1024

const webSockets = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: maxMessageBytes })

/** The subprotocol that was chosen for a request on its way through the handshake. */
const chosen = new WeakMap<IncomingMessage, string>()

webSockets.on('headers', (headers, request) => {
  const protocol = chosen.get(request)
  if (protocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${protocol}`)
})

/** Which upgrade a request asks for. */
export function upgradeKind(request: IncomingMessage): 'spdy' | 'websocket' | undefined {
  const connection = request.headers.connection?.toLowerCase() ?? ''
  const upgrade = request.headers.upgrade?.toLowerCase() ?? ''
  if (!connection.split(',').some((token) => token.trim() === 'upgrade')) return undefined
  return upgrade === 'spdy/3.1' ? 'spdy' : upgrade === 'websocket' ? 'websocket' : undefined
}

/** The subprotocols that a client offers, in its order. */
export function offeredProtocols(request: IncomingMessage, kind: 'spdy' | 'websocket'): string[] {
  const header = request.headers[kind === 'spdy' ? 'x-stream-protocol-version' : 'sec-websocket-protocol']
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '')
}

/** The first of the client's subprotocols that we have. Throws UpgradeError as upstream's servers answer. */
export function negotiate(request: IncomingMessage, kind: 'spdy' | 'websocket', supported: readonly string[]): string {
  const offered = offeredProtocols(request, kind)
  if (offered.length === 0) {
    throw new UpgradeError(400, `unable to upgrade: ${kind === 'spdy' ? 'X-Stream-Protocol-Version' : 'Sec-WebSocket-Protocol'} is required`)
  }
  const protocol = offered.find((name) => supported.includes(name))
  if (protocol === undefined) throw new UpgradeError(403, `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${supported.join(' ')}]`)
  return protocol
}

/** Answers an upgrade request with an ordinary response and closes. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  answerUpgrade(socket, { status, contentType: 'text/plain; charset=utf-8', body: `${message}\n` })
}

/** An ordinary response to an upgrade request. */
export interface UpgradeAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** Answers an upgrade request with a response of any type and closes. */
export function answerUpgrade(socket: Duplex, { status, contentType, body }: UpgradeAnswer): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  socket.on('error', () => {})
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
      `Content-Type: ${contentType}`,
      'X-Content-Type-Options: nosniff',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

/** Switches to SPDY. */
export function acceptSpdy(socket: Duplex, protocol: string): void {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`)
}

/** Switches to WebSocket with this subprotocol. It is paused: resume it when its listeners are there. Rejects where the handshake is not one (it is then answered). */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer, protocol: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new UpgradeError(400, 'the WebSocket handshake failed'))
    socket.once('close', closed)
    chosen.set(request, protocol)
    // The library would refuse `SPDY/3.1+portforward.k8s.io`, whose slash RFC 6455 does not allow and Kubernetes uses: we have chosen already.
    delete request.headers['sec-websocket-protocol']
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('close', closed)
      webSocket.on('error', () => webSocket.terminate())
      webSocket.pause()
      resolve(webSocket)
    })
  })
}
