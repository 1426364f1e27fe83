import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createWebSocketStream } from 'ws'
import { UpgradeError } from '../errors.ts'
import { acceptSpdy, acceptWebSocket, negotiate, refuseUpgrade, upgradeKind } from '../http-upgrade.ts'
import { SpdyConnection } from '../spdy/connection.ts'
import type { SpdyStream } from '../spdy/stream.ts'

export const portForwardProtocol = 'portforward.k8s.io'
/** SPDY carried in the binary messages of a WebSocket. */
export const tunnelProtocol = `SPDY/3.1+${portForwardProtocol}`

/** What serves one port-forward connection. */
export interface PortForwardHandlers {
  /** Opens a connection to this port inside the pod; a rejection is told on the error stream. */
  connect(port: number, signal: AbortSignal): Promise<Duplex>
  /** What is forwarded to, for error messages: `error forwarding port 80 to pod <pod>, uid <uid>: ...`. */
  pod: string
  uid?: string
  /** Milliseconds without any traffic after which the connection is cut (4 hours). */
  idleTimeoutMs?: number
  /** Milliseconds that a client may take to open the second stream of a pair (30 seconds). */
  creationTimeoutMs?: number
}

/** Serves `portforward` on an HTTP/1.1 upgrade request. Resolves when the connection is over; never rejects. */
export async function servePortForward(request: IncomingMessage, socket: Duplex, head: Buffer, handlers: PortForwardHandlers): Promise<void> {
  socket.on('error', () => socket.destroy())
  if (socket instanceof Socket) socket.setTimeout(handlers.idleTimeoutMs ?? 4 * 3600 * 1000, () => socket.destroy()).setNoDelay(true)
  let connection: SpdyConnection
  try {
    connection = await accept(request, socket, head)
  } catch (error) {
    if (error instanceof UpgradeError) refuseUpgrade(socket, error.status, error.message)
    return
  }
  await new Promise<void>((resolve) => {
    const pairs = new Pairs(handlers)
    connection.on('stream', (stream) => pairs.take(stream))
    connection.on('close', () => {
      pairs.close()
      resolve()
    })
  })
}

async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<SpdyConnection> {
  const kind = upgradeKind(request)
  if (kind === 'spdy') {
    acceptSpdy(socket, negotiate(request, 'spdy', [portForwardProtocol]))
    return new SpdyConnection(socket, { side: 'server', head })
  }
  if (kind !== 'websocket') throw new UpgradeError(400, 'unable to upgrade: missing upgrade headers in request (SPDY/3.1 or websocket)')
  const webSocket = await acceptWebSocket(request, socket, head, negotiate(request, 'websocket', [tunnelProtocol]))
  const tunnel = createWebSocketStream(webSocket)
  webSocket.resume()
  return new SpdyConnection(tunnel, { side: 'server' })
}

/** Brings together the error and the data stream of each forwarded connection. */
class Pairs {
  private readonly handlers: PortForwardHandlers
  private readonly waiting = new Map<string, { error?: SpdyStream; data?: SpdyStream; timer: NodeJS.Timeout }>()
  private readonly controller = new AbortController()

  constructor(handlers: PortForwardHandlers) {
    this.handlers = handlers
  }

  close(): void {
    this.controller.abort()
    for (const { timer } of this.waiting.values()) clearTimeout(timer)
    this.waiting.clear()
  }

  take(stream: SpdyStream): void {
    const type = stream.headers['streamtype']
    const port = Number(stream.headers['port'])
    if ((type !== 'error' && type !== 'data') || !Number.isInteger(port) || port < 1 || port > 65535) {
      stream.destroy()
      return
    }
    // Clients that send no request id open the data stream right after its error stream.
    const requestId = stream.headers['requestid'] ?? String(type === 'error' ? stream.id : stream.id - 2)
    const pair = this.waiting.get(requestId) ?? { timer: setTimeout(() => this.giveUp(requestId), this.handlers.creationTimeoutMs ?? 30_000) }
    if (pair[type]) {
      stream.destroy()
      return
    }
    pair[type] = stream
    this.waiting.set(requestId, pair)
    if (!pair.error || !pair.data) return
    clearTimeout(pair.timer)
    this.waiting.delete(requestId)
    void this.forward(pair.error, pair.data, port)
  }

  private giveUp(requestId: string): void {
    const pair = this.waiting.get(requestId)
    this.waiting.delete(requestId)
    pair?.error?.end(`timed out waiting for the streams of request ${requestId}`)
    pair?.data?.destroy()
  }

  private async forward(errorStream: SpdyStream, data: SpdyStream, port: number): Promise<void> {
    errorStream.resume()
    try {
      const target = await this.handlers.connect(port, this.controller.signal)
      await bridge(data, target)
      errorStream.end()
    } catch (error) {
      const { pod, uid = '' } = this.handlers
      errorStream.end(`error forwarding port ${port} to pod ${pod}, uid ${uid}: ${(error as Error).message}`)
      data.end()
      data.resume()
    }
  }
}

/** Copies both ways, each direction ending by itself. Rejects with what failed on the target's side; the client's going away is no failure. */
export function bridge(client: Duplex, target: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = 2
    const done = (): void => {
      left -= 1
      if (left === 0) resolve()
    }
    client.pipe(target)
    target.pipe(client)
    client.once('end', done)
    target.once('end', done)
    target.once('error', (error) => {
      client.unpipe(target)
      reject(error)
    })
    target.once('close', () => {
      client.unpipe(target)
      client.resume()
      if (!client.writableEnded) client.end()
      resolve()
    })
    client.once('close', () => {
      if (!target.destroyed && !(target.readableEnded && target.writableEnded)) target.destroy()
      resolve()
    })
    client.once('error', () => target.destroy())
  })
}
