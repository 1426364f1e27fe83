import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AttachRequest, CriError, type ExecRequest, type PortForwardRequest } from '@berth/cri'
import { dialInNamespace } from '@berth/native'
import { serveAttach, serveExec, servePortForward } from '@berth/streaming'
import { engineMessage } from '../errors.ts'
import { namespacePath } from '../sandbox/network.ts'
import type { Shim } from '../shim.ts'
import type { ContainerRecord } from '../state/record.ts'
import type { Change } from '../state/store.ts'
import { copy, startExec } from './engine-exec.ts'
import type { StreamingServer } from './streaming-server.ts'

/** How long nothing may come from a container that has ended until its attachment is taken to be over; milliseconds. */
const quietMs = 500

function checkStreams({ stdin, stdout, stderr, tty }: Pick<ExecRequest, 'stdin' | 'stdout' | 'stderr' | 'tty'>): void {
  if (!stdin && !stdout && !stderr) throw new CriError('InvalidArgument', 'one of stdin, stdout, or stderr must be set')
  if (tty && stderr) throw new CriError('InvalidArgument', 'tty and stderr cannot both be true')
}

async function running(shim: Shim, id: string): Promise<ContainerRecord> {
  const record = await shim.store.mustContainer(id)
  if (record.state !== 'running') throw new CriError('FailedPrecondition', `container ${record.id} is not running`)
  return record
}

/** Exec: agrees on a command, and gives the URL at which it runs. */
export async function execUrl(shim: Shim, server: StreamingServer, request: ExecRequest): Promise<string> {
  checkStreams(request)
  if (request.cmd.length === 0) throw new CriError('InvalidArgument', 'cmd: is required')
  const { stdin, stdout, stderr, tty, cmd } = request
  const { id } = await running(shim, request.containerId)
  return server.urlFor('exec', (upgrade, socket, head) =>
    serveExec(upgrade, socket, head, {
      options: { stdin, stdout, stderr, tty },
      async run(streams) {
        const exec = await startExec(shim.engine, id, cmd, streams).catch((error: unknown) => {
          throw new Error(engineMessage(error), { cause: error })
        })
        streams.onResize((size) => exec.resize(size))
        // A command whose client has gone is ended: nobody reads it any more.
        streams.signal.addEventListener('abort', () => void exec.kill().catch(() => {}), { once: true })
        return { exitCode: await exec.exitCode }
      },
    }),
  )
}

/** Attach: gives the URL at which the container's own streams can be had. Ending an attachment ends nothing else. */
export async function attachUrl(shim: Shim, server: StreamingServer, request: AttachRequest): Promise<string> {
  checkStreams(request)
  const record = await running(shim, request.containerId)
  const { stdin, stdout, stderr } = request
  return server.urlFor('attach', (upgrade, socket, head) =>
    serveAttach(upgrade, socket, head, {
      options: { stdin: stdin && record.openStdin, stdout, stderr: stderr && !record.tty, tty: record.tty },
      async run(streams) {
        const container = shim.engine.docker.getContainer(record.id)
        const connection = (await container.attach({ stream: true, hijack: true, stdin: streams.stdin !== undefined, stdout: true, stderr: true }).catch((error: unknown) => {
          throw new Error(engineMessage(error), { cause: error })
        })) as unknown as Socket
        streams.onResize(({ width, height }) => void container.resize({ w: width, h: height }).catch(() => {}))
        streams.signal.addEventListener('abort', () => connection.destroy(), { once: true })
        const forget = whenEnded(shim, record.id, () => void endWhenQuiet(connection))
        connection.once('close', forget)
        await copy(connection, streams.stdin, streams.stdout, streams.stderr, record.tty)
        return { exitCode: 0 }
      },
    }),
  )
}

/** Calls back once when the container has ended; gives what ends the waiting. */
function whenEnded(shim: Shim, id: string, ended: () => void): () => void {
  const onChange = ({ kind, record }: Change): void => {
    if (record.id === id && kind === 'stopped') done()
  }
  const forget = (): void => void shim.store.off('change', onChange)
  const done = (): void => {
    forget()
    ended()
  }
  shim.store.on('change', onChange)
  shim.store.container(id).then(
    (now) => now?.state !== 'running' && done(),
    () => {},
  )
  return forget
}

/**
 * The Engine ends an attachment with its container, but says nothing more on one that was made just after the container had ended. Whatever still waits to be read, by a
 * client who is slow, is read first.
 */
async function endWhenQuiet(connection: Socket): Promise<void> {
  for (let seen = -1; !connection.destroyed && (connection.bytesRead !== seen || connection.readableLength > 0); ) {
    seen = connection.bytesRead
    await sleep(quietMs)
  }
  connection.destroy()
}

/** PortForward: gives the URL at which ports inside the sandbox's network can be reached. */
export async function portForwardUrl(shim: Shim, server: StreamingServer, { podSandboxId }: PortForwardRequest): Promise<string> {
  const sandbox = await shim.store.mustSandbox(podSandboxId)
  if (sandbox.state !== 'running') throw new CriError('FailedPrecondition', `sandbox ${sandbox.id} is not running`)
  return server.urlFor('portforward', (upgrade, socket, head) =>
    servePortForward(upgrade, socket, head, {
      pod: sandbox.id,
      uid: sandbox.spec.metadata.uid,
      async connect(port, signal) {
        const now = await shim.store.mustSandbox(sandbox.id)
        if (now.pid === 0) throw new Error('the sandbox is not running')
        const connection = dialInNamespace(namespacePath(now.pid), 'localhost', port)
        signal.addEventListener('abort', () => connection.destroy(), { once: true })
        await once(connection, 'connect')
        return connection
      },
    }),
  )
}
