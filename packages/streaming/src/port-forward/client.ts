import type { Duplex } from 'node:stream'
import { createWebSocketStream } from 'ws'
import { type ConnectOptions, connectSpdy, connectWebSocket } from '../connect.ts'
import { SpdyConnection } from '../spdy/connection.ts'
import { portForwardProtocol, tunnelProtocol } from './server.ts'

/** A connection over which ports of one pod can be reached. */
export interface PortForwardClient {
  /** Opens a connection to a port; `error` resolves at its end with what went wrong, or with ''. */
  forward(port: number): Promise<{ data: Duplex; error: Promise<string> }>
  close(): void
}

/** Connects to a portforward URL. Throws UpgradeError where the server refuses. */
export async function connectPortForward(url: string, options: ConnectOptions & { transport: 'spdy' | 'websocket' }): Promise<PortForwardClient> {
  const connection = options.transport === 'spdy' ? (await connectSpdy(url, [portForwardProtocol], options)).connection : await tunnel(url, options)
  let requests = 0
  return {
    async forward(port) {
      const headers = { port: String(port), requestid: String(requests++) }
      const errorStream = await connection.openStream({ streamtype: 'error', ...headers })
      errorStream.end()
      const error = text(errorStream).catch((reason: unknown) => (reason as Error).message)
      return { data: await connection.openStream({ streamtype: 'data', ...headers }), error }
    },
    close: () => connection.close(),
  }
}

async function tunnel(url: string, options: ConnectOptions): Promise<SpdyConnection> {
  const { webSocket } = await connectWebSocket(url, [tunnelProtocol], options)
  const tunnelled = createWebSocketStream(webSocket)
  webSocket.resume()
  return new SpdyConnection(tunnelled, { side: 'client' })
}

async function text(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
