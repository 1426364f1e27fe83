import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { StreamingError } from '../errors.ts'
import { acceptSpdy, negotiate } from '../http-upgrade.ts'
import { SpdyConnection } from '../spdy/connection.ts'
import type { SpdyStream } from '../spdy/stream.ts'
import type { ExecStatus } from '../status.ts'
import { flushed, type RemoteCommandOptions, type RemoteCommandSession, Resizes } from './session.ts'

/** v4 tells the exit code as JSON; v3 has terminal sizes, v2 neither. */
export const spdyProtocols = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io'] as const

/** Accepts a SPDY remote command and waits for the streams that `options` ask for. Throws UpgradeError before the switch, StreamingError after it. */
export async function acceptSpdySession(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: RemoteCommandOptions,
  creationTimeoutMs: number,
): Promise<RemoteCommandSession> {
  const protocol = negotiate(request, 'spdy', spdyProtocols)
  acceptSpdy(socket, protocol)
  const connection = new SpdyConnection(socket, { side: 'server', head })
  const controller = new AbortController()
  connection.on('close', () => controller.abort(new StreamingError('the client has gone')))
  const wanted = ['error']
  for (const type of ['stdin', 'stdout', 'stderr'] as const) if (options[type]) wanted.push(type)
  if (options.tty && protocol !== 'v2.channel.k8s.io') wanted.push('resize')
  const streams = await collectStreams(connection, wanted, creationTimeoutMs)
  const error = streams.get('error')
  const resizes = new Resizes()
  streams.get('resize')?.on('data', (bytes: Buffer) => resizes.receive(bytes))
  // What a client writes into an output is nobody's; it must not fill up.
  for (const type of ['error', 'stdout', 'stderr']) streams.get(type)?.resume()
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    tty: options.tty,
    onResize: (callback) => resizes.onResize(callback),
    signal: controller.signal,
    async finish(status) {
      await Promise.all([flushed(streams.get('stdout')), flushed(streams.get('stderr'))])
      error?.end(statusText(status, protocol))
      await flushed(error)
      connection.close()
    },
  }
}

/** Protocols before v4 say nothing on success and the bare message on failure. */
function statusText(status: ExecStatus, protocol: string): string {
  if (protocol === 'v4.channel.k8s.io') return JSON.stringify(status)
  return status.status === 'Success' ? '' : (status.message ?? '')
}

function collectStreams(connection: SpdyConnection, wanted: readonly string[], timeoutMs: number): Promise<Map<string, SpdyStream>> {
  return new Promise((resolve, reject) => {
    const streams = new Map<string, SpdyStream>()
    const fail = (message: string): void => {
      clearTimeout(timer)
      connection.close()
      reject(new StreamingError(message))
    }
    const timer = setTimeout(() => fail('timed out waiting for client to create streams'), timeoutMs)
    connection.once('close', (error) => fail(error?.message ?? 'the client closed the connection before it created its streams'))
    connection.on('stream', (stream) => {
      const type = stream.headers['streamtype'] ?? ''
      if (!wanted.includes(type) || streams.has(type)) {
        stream.destroy()
        if (type === 'resize') return
        return fail(`invalid stream type ${JSON.stringify(type)}`)
      }
      streams.set(type, stream)
      if (streams.size < wanted.length) return
      clearTimeout(timer)
      resolve(streams)
    })
  })
}
