import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { UpgradeError } from '../errors.ts'
import { refuseUpgrade, upgradeKind } from '../http-upgrade.ts'
import { exitStatus, failureStatus } from '../status.ts'
import type { RemoteCommandOptions, RemoteCommandSession, RemoteCommandStreams } from './session.ts'
import { acceptSpdySession } from './spdy-session.ts'
import { acceptWebSocketSession } from './websocket-session.ts'

/** What serves one remote command. */
export interface RemoteCommandHandlers {
  /** Which streams this command has: from the request's query (`remoteCommandOptions`) or from what was agreed before. */
  options: RemoteCommandOptions
  /**
   * Runs the command (or attaches) and resolves with its exit code when it is over and all its output is written. It need not end
   * the outputs. A rejection becomes an InternalError status. It should stop when `streams.signal` aborts.
   */
  run(streams: RemoteCommandStreams): Promise<{ exitCode: number }>
  /** Milliseconds without any traffic after which the connection is cut (4 hours). */
  idleTimeoutMs?: number
  /** Milliseconds that a SPDY client may take to open its streams (30 seconds). */
  creationTimeoutMs?: number
}

/** Serves `exec` on an HTTP/1.1 upgrade request. Resolves when it is over; never rejects: what fails is told to the client. */
export function serveExec(request: IncomingMessage, socket: Duplex, head: Buffer, handlers: RemoteCommandHandlers): Promise<void> {
  return serve(request, socket, head, handlers, 'error executing command in container')
}

/** Serves `attach`, like `serveExec`. */
export function serveAttach(request: IncomingMessage, socket: Duplex, head: Buffer, handlers: RemoteCommandHandlers): Promise<void> {
  return serve(request, socket, head, handlers, 'error attaching to container')
}

async function serve(request: IncomingMessage, socket: Duplex, head: Buffer, handlers: RemoteCommandHandlers, failure: string): Promise<void> {
  socket.on('error', () => socket.destroy())
  if (socket instanceof Socket) socket.setTimeout(handlers.idleTimeoutMs ?? 4 * 3600 * 1000, () => socket.destroy()).setNoDelay(true)
  let session: RemoteCommandSession
  try {
    session = await accept(request, socket, head, handlers)
  } catch (error) {
    if (error instanceof UpgradeError) refuseUpgrade(socket, error.status, error.message)
    return
  }
  try {
    const { exitCode } = await handlers.run(session)
    await session.finish(exitStatus(exitCode))
  } catch (error) {
    await session.finish(failureStatus(failure, error))
  }
}

function accept(request: IncomingMessage, socket: Duplex, head: Buffer, handlers: RemoteCommandHandlers): Promise<RemoteCommandSession> {
  const { options } = handlers
  const streams = { ...options, stderr: options.stderr && !options.tty }
  if (!streams.stdin && !streams.stdout && !streams.stderr) throw new UpgradeError(400, 'you must specify at least 1 of stdin, stdout, stderr')
  const kind = upgradeKind(request)
  if (kind === 'spdy') return acceptSpdySession(request, socket, head, streams, handlers.creationTimeoutMs ?? 30_000)
  if (kind === 'websocket') return acceptWebSocketSession(request, socket, head, streams)
  throw new UpgradeError(400, 'unable to upgrade: missing upgrade headers in request (SPDY/3.1 or websocket)')
}

/** The streams that a query asks for, by the API server's names (`stdin`, `stdout`, `stderr`) or the kubelet's (`input`, `output`, `error`), and `tty`. */
export function remoteCommandOptions(query: URLSearchParams): RemoteCommandOptions {
  const asked = (...names: string[]): boolean => names.some((name) => query.get(name) === '1' || query.get(name) === 'true')
  const tty = asked('tty')
  return { stdin: asked('stdin', 'input'), stdout: asked('stdout', 'output'), stderr: asked('stderr', 'error') && !tty, tty }
}
