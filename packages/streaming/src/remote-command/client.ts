import { PassThrough, type Readable, type Writable } from 'node:stream'
import { type ConnectOptions, connectSpdy, connectWebSocket } from '../connect.ts'
import { StreamingError } from '../errors.ts'
import { type ExecStatus, parseStatus } from '../status.ts'
import { channel, ChannelReader, ChannelWriter, ReadFlow, splitMessage } from '../websocket/channels.ts'
import { flushed, type RemoteCommandOptions, type TerminalSize } from './session.ts'
import { spdyProtocols } from './spdy-session.ts'
import { webSocketProtocols } from './websocket-session.ts'

/** The client's end of a remote command. */
export interface RemoteCommand {
  /** End it to close the command's standard input (over WebSocket only v5 carries that). */
  stdin: Writable | undefined
  stdout: Readable | undefined
  stderr: Readable | undefined
  resize(size: TerminalSize): void
  /** How the command ended. Rejects with StreamingError where the connection was lost first. */
  status: Promise<ExecStatus>
  close(): void
}

/** How a remote command is connected to. */
export interface RemoteCommandConnectOptions extends ConnectOptions {
  transport: 'spdy' | 'websocket'
  streams: RemoteCommandOptions
  /** Subprotocols to offer, best first; by default all that the transport has. */
  protocols?: readonly string[]
}

/** Connects to an exec or attach URL (http: or https:, with its query). Throws UpgradeError where the server refuses. */
export function connectRemoteCommand(url: string, options: RemoteCommandConnectOptions): Promise<RemoteCommand> {
  return options.transport === 'spdy' ? overSpdy(url, options) : overWebSocket(url, options)
}

async function overSpdy(url: string, options: RemoteCommandConnectOptions): Promise<RemoteCommand> {
  const { connection, protocol } = await connectSpdy(url, options.protocols ?? spdyProtocols, options)
  const { streams } = options
  const open = (type: string): ReturnType<typeof connection.openStream> => connection.openStream({ streamtype: type })
  try {
    const error = await open('error')
    error.end()
    const stdin = streams.stdin ? await open('stdin') : undefined
    const stdout = streams.stdout ? await open('stdout') : undefined
    const stderr = streams.stderr && !streams.tty ? await open('stderr') : undefined
    const resize = streams.tty && protocol !== 'v2.channel.k8s.io' ? await open('resize') : undefined
    stdin?.resume()
    resize?.resume()
    const status = text(error).then(parseStatus)
    status.catch(() => {})
    return {
      stdin,
      stdout,
      stderr,
      resize: ({ width, height }) => void resize?.write(JSON.stringify({ Width: width, Height: height })),
      status,
      close: () => connection.close(),
    }
  } catch (error) {
    connection.destroy()
    throw error
  }
}

async function overWebSocket(url: string, options: RemoteCommandConnectOptions): Promise<RemoteCommand> {
  const { webSocket, protocol } = await connectWebSocket(url, options.protocols ?? webSocketProtocols, options)
  const { streams } = options
  const flow = new ReadFlow(webSocket)
  const closeStdin = (): void => {
    if (protocol === 'v5.channel.k8s.io') webSocket.send(Buffer.from([channel.close, channel.stdin]), () => {})
  }
  const stdin = streams.stdin ? new ChannelWriter(webSocket, channel.stdin, closeStdin) : undefined
  const stdout = streams.stdout ? new ChannelReader(flow) : undefined
  const stderr = streams.stderr && !streams.tty ? new ChannelReader(flow) : undefined
  const error = new PassThrough()
  webSocket.on('message', (raw) => {
    const message = splitMessage(raw)
    if (message?.number === channel.stdout) stdout?.receive(message.data)
    else if (message?.number === channel.stderr) stderr?.receive(message.data)
    else if (message?.number === channel.error) error.write(message.data)
  })
  webSocket.on('close', (code) => {
    stdout?.finish()
    stderr?.finish()
    if (code === 1000) error.end()
    else error.destroy(new StreamingError(`connection lost (WebSocket code ${code})`))
  })
  webSocket.resume()
  const status = text(error).then(parseStatus)
  status.catch(() => {})
  return {
    stdin,
    stdout,
    stderr,
    resize({ width, height }) {
      webSocket.send(Buffer.concat([Buffer.from([channel.resize]), Buffer.from(JSON.stringify({ Width: width, Height: height }))]), () => {})
    },
    status,
    close: () => void flushed(stdin).then(() => webSocket.close(1000)),
  }
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
