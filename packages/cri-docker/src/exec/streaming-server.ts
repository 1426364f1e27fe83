import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { CriError } from '@berth/cri'
import { refuseUpgrade } from '@berth/streaming'

/** Serves one connection that was agreed on before. */
export type StreamingSession = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>

/** How long a URL waits for its one use, and how many may wait, as other runtimes have it. */
const urlLifeMs = 60_000
const maxWaiting = 1000

/** The HTTP server of exec, attach and port-forward: its URLs can be used once. */
export interface StreamingServer {
  /** A URL that serves this session, once, within a minute. */
  urlFor(kind: 'exec' | 'attach' | 'portforward', session: StreamingSession): string
  close(): Promise<void>
}

/** Listens at `address` (host:port; port 0 takes a free one). */
export async function startStreamingServer(address: string): Promise<StreamingServer> {
  const waiting = new Map<string, { session: StreamingSession; timer: NodeJS.Timeout }>()
  const sockets = new Set<Duplex>()
  const server = createServer((_request, response) => response.writeHead(426, { Connection: 'close', 'Content-Type': 'text/plain' }).end('an upgrade to SPDY/3.1 or websocket is required\n'))
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const key = request.url?.replace(/\?.*$/, '').replace(/^\//, '') ?? ''
    const entry = waiting.get(key)
    if (!entry) return refuseUpgrade(socket, 404, 'no such stream, or it was used already')
    waiting.delete(key)
    clearTimeout(entry.timer)
    void entry.session(request, socket, head)
  })
  const base = await listen(server, address)
  return {
    urlFor(kind, session) {
      if (waiting.size >= maxWaiting) throw new CriError('ResourceExhausted', 'too many streaming requests wait to be used')
      const key = `${kind}/${randomBytes(16).toString('base64url')}`
      const timer = setTimeout(() => waiting.delete(key), urlLifeMs)
      timer.unref()
      waiting.set(key, { session, timer })
      return `${base}/${key}`
    },
    close() {
      for (const { timer } of waiting.values()) clearTimeout(timer)
      waiting.clear()
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function listen(server: Server, address: string): Promise<string> {
  const match = /^(.*):(\d+)$/.exec(address)
  if (!match) throw new Error(`streaming address ${JSON.stringify(address)} is not HOST:PORT`)
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(match[2]), host === '' ? '127.0.0.1' : host, () => {
      const { address: bound, port, family } = server.address() as AddressInfo
      resolve(`http://${family === 'IPv6' ? `[${bound}]` : bound}:${port}`)
    })
  })
}
