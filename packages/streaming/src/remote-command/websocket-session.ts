import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { StreamingError } from '../errors.ts'
import { acceptWebSocket, negotiate } from '../http-upgrade.ts'
import { channel, ChannelReader, ChannelWriter, ReadFlow, splitMessage } from '../websocket/channels.ts'
import { flushed, type RemoteCommandOptions, type RemoteCommandSession, Resizes } from './session.ts'

/** v5 can close the standard input by itself; v4 cannot. */
export const webSocketProtocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const

/** How long a client may take to answer the closing of the WebSocket. */
const closeGraceMs = 5000

/** Accepts a WebSocket remote command. Throws UpgradeError. */
export async function acceptWebSocketSession(request: IncomingMessage, socket: Duplex, head: Buffer, options: RemoteCommandOptions): Promise<RemoteCommandSession> {
  const protocol = negotiate(request, 'websocket', webSocketProtocols)
  const webSocket = await acceptWebSocket(request, socket, head, protocol)
  const controller = new AbortController()
  const resizes = new Resizes()
  const stdin = options.stdin ? new ChannelReader(new ReadFlow(webSocket)) : undefined
  const stdout = options.stdout ? new ChannelWriter(webSocket, channel.stdout) : undefined
  const stderr = options.stderr ? new ChannelWriter(webSocket, channel.stderr) : undefined
  const error = new ChannelWriter(webSocket, channel.error)
  // Failures of these are the client's going away, which the signal tells; nobody else may be listening.
  for (const stream of [stdin, stdout, stderr, error]) stream?.on('error', () => {})
  webSocket.on('message', (raw) => {
    const message = splitMessage(raw)
    if (message?.number === channel.stdin) stdin?.receive(message.data)
    else if (message?.number === channel.resize) resizes.receive(message.data)
    else if (message?.number === channel.close && protocol === 'v5.channel.k8s.io' && message.data[0] === channel.stdin) stdin?.finish()
  })
  webSocket.on('close', () => {
    stdin?.finish()
    controller.abort(new StreamingError('the client has gone'))
  })
  webSocket.resume()
  // Clients take an empty message on an output as the sign that the streams are ready.
  webSocket.send(Buffer.from([stdout ? channel.stdout : stderr ? channel.stderr : channel.error]), () => {})
  return {
    stdin,
    stdout,
    stderr,
    tty: options.tty,
    onResize: (callback) => resizes.onResize(callback),
    signal: controller.signal,
    async finish(status) {
      await Promise.all([flushed(stdout), flushed(stderr)])
      error.end(JSON.stringify(status))
      await flushed(error)
      // Unread input must not keep the closing handshake from being seen.
      stdin?.destroy()
      webSocket.resume()
      webSocket.close(1000)
      const timer = setTimeout(() => webSocket.terminate(), closeGraceMs)
      webSocket.once('close', () => clearTimeout(timer))
    },
  }
}
