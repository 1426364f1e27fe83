import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type AttachRequest, CriError, type ExecRequest, type PortForwardRequest } from '@berth/cri'
import { dialInNamespace } from '@berth/native'
import { serveAttach, serveExec, servePortForward } from '@berth/streaming'
import { engineMessage } from '../errors.ts'
import { namespacePath } from '../sandbox/network.ts'
import type { Shim } from '../shim.ts'
import type { ContainerRecord } from '../state/record.ts'
import { endWhenQuiet, whenEnded } from './container-end.ts'
import { copy, startExec } from './engine-exec.ts'
import type { StreamingServer } from './streaming-server.ts'

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
        const forget = whenEnded(shim, id, exec.endWhenQuiet)
        return { exitCode: await exec.exitCode.finally(forget) }
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
