import { request as httpRequest } from 'node:http'
import { type RequestOptions, request as httpsRequest } from 'node:https'
import { WebSocket } from 'ws'
import { UpgradeError } from './errors.ts'
import { SpdyConnection } from './spdy/connection.ts'

/** How a server is connected to. */
export interface ConnectOptions {
  headers?: Record<string, string>
  /** For https: who is trusted and who we are. */
  tls?: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>
  signal?: AbortSignal
}

/** How much of a refusal's body is kept for the error's message. */
const maxBodyBytes = 4096

/** Upgrades to SPDY/3.1 with a POST, as client-go does. Throws UpgradeError with the server's words where it refuses. */
export function connectSpdy(url: string, protocols: readonly string[], options: ConnectOptions = {}): Promise<{ connection: SpdyConnection; protocol: string }> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, {
      method: 'POST',
      agent: false,
      ...options.tls,
      signal: options.signal,
      headers: { ...options.headers, Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': [...protocols] },
    })
    request.on('upgrade', (response, socket, head) => {
      const protocol = response.headers['x-stream-protocol-version']
      if (typeof protocol !== 'string' || !protocols.includes(protocol)) {
        socket.destroy()
        return reject(new UpgradeError(502, `the server chose the stream protocol ${JSON.stringify(protocol)}, which was not offered`))
      }
      socket.setNoDelay(true)
      resolve({ connection: new SpdyConnection(socket, { side: 'client', head }), protocol })
    })
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        if (size < maxBodyBytes) chunks.push(chunk)
        size += chunk.length
      })
      response.on('end', () => reject(new UpgradeError(response.statusCode ?? 500, Buffer.concat(chunks).toString('utf8').slice(0, maxBodyBytes).trim())))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end()
  })
}

/**
 * Opens a WebSocket with one of these subprotocols. It is paused: resume it when its listeners are there. Throws UpgradeError with the
 * server's words where it refuses.
 */
export function connectWebSocket(url: string, protocols: readonly string[], options: ConnectOptions = {}): Promise<{ webSocket: WebSocket; protocol: string }> {
  return new Promise((resolve, reject) => {
    let protocol: string | undefined
    const webSocket = new WebSocket(url.replace(/^http/, 'ws'), {
      perMessageDeflate: false,
      maxPayload: 4 * 1024 * 1024,
      ...options.tls,
      // Offered and checked here, since the library refuses the slash in `SPDY/3.1+portforward.k8s.io`.
      headers: { ...options.headers, 'Sec-WebSocket-Protocol': protocols.join(', ') },
      finishRequest(request) {
        request.prependListener('upgrade', (response) => {
          protocol = response.headers['sec-websocket-protocol']
          delete response.headers['sec-websocket-protocol']
        })
        request.end()
      },
    })
    options.signal?.addEventListener('abort', () => webSocket.terminate(), { once: true })
    webSocket.once('open', () => {
      webSocket.off('error', reject)
      webSocket.on('error', () => webSocket.terminate())
      if (protocol === undefined || !protocols.includes(protocol)) {
        webSocket.terminate()
        return reject(new UpgradeError(502, `the server chose the subprotocol ${JSON.stringify(protocol)}, which was not offered`))
      }
      webSocket.pause()
      resolve({ webSocket, protocol })
    })
    webSocket.once('error', reject)
    webSocket.once('unexpected-response', (_request, response) => {
      response.setEncoding('utf8')
      let body = ''
      response.on('data', (chunk: string) => (body = (body + chunk).slice(0, maxBodyBytes)))
      response.on('end', () => {
        reject(new UpgradeError(response.statusCode ?? 500, body.trim()))
        webSocket.terminate()
      })
    })
  })
}
