import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { proxyUpgrade } from '@berth/streaming'
import { findContainer } from '../pods/containers.ts'
import { latestContainer } from '../runtime/records.ts'
import type { WorkerContext } from '../workers/context.ts'
import type { PodManager } from '../workers/manager.ts'
import { flagParam, HttpError } from './http.ts'

/** Upgrades of /exec, /attach and /portForward: the runtime is asked for a URL of its own server, and the bytes are passed on. Throws an HttpError before that. */
export async function streamingUpgrade(context: WorkerContext, pods: PodManager, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://kubelet')
  const target = await streamingUrl(context, pods, url)
  await proxyUpgrade(request, socket, head, target)
}

async function streamingUrl(context: WorkerContext, pods: PodManager, url: URL): Promise<string> {
  const { cri } = context
  const parts = url.pathname.split('/').filter((p) => p !== '').map(decodeURIComponent)
  const [what = '', namespace = '', name = ''] = parts
  const pod = pods.list().find((p) => p.metadata.namespace === namespace && p.metadata.name === name)
  if (!pod) throw new HttpError(404, 'pod does not exist')
  const uid = pod.metadata.uid ?? ''
  const wantedUid = what === 'portForward' ? (parts.length > 3 ? parts[3] : undefined) : parts.length > 4 ? parts[3] : undefined
  if (wantedUid !== undefined && wantedUid !== uid) throw new HttpError(404, 'pod does not exist')
  const runtime = await context.runtime.read(uid)
  if (what === 'portForward') {
    const sandbox = runtime.sandboxes.find((s) => s.ready)
    if (!sandbox) throw new HttpError(404, `failed to find sandbox for pod ${name}_${namespace}(${uid})`)
    const port = url.searchParams.getAll('port').flatMap((p) => p.split(',')).map(Number).filter((p) => p > 0)
    return (await cri.portForward({ podSandboxId: sandbox.id, port })).url
  }
  const container = parts.at(-1) ?? ''
  const spec = findContainer(pod, container)
  const record = latestContainer(runtime, container)
  if (!spec || !record || record.state !== 'running') throw new HttpError(404, `container not found ("${container}")`)
  const tty = flagParam(url, 'tty')
  const streams = { stdin: flagParam(url, 'input', 'stdin'), stdout: flagParam(url, 'output', 'stdout'), stderr: flagParam(url, 'error', 'stderr') && !tty }
  if (!streams.stdin && !streams.stdout && !streams.stderr) throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr')
  if (what === 'exec') {
    const cmd = url.searchParams.getAll('command')
    if (cmd.length === 0) throw new HttpError(400, 'you must specify a command')
    return (await cri.exec({ containerId: record.id, cmd, tty, ...streams })).url
  }
  return (await cri.attach({ containerId: record.id, tty: spec.spec.tty === true, ...streams, stderr: streams.stderr && spec.spec.tty !== true })).url
}
