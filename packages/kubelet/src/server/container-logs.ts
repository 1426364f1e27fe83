import { once } from 'node:events'
import type { Pod } from '@berth/api/types/core/v1'
import { findContainer } from '../pods/containers.ts'
import type { ContainerRecord } from '../runtime/records.ts'
import { readLog, type LogOptions } from '../logs/reader.ts'
import type { WorkerContext } from '../workers/context.ts'
import type { PodManager } from '../workers/manager.ts'
import { flagParam, HttpError, numberParam, type RouteRequest } from './http.ts'

/** GET /containerLogs/{namespace}/{pod}/{container} */
export async function containerLogs(context: WorkerContext, pods: PodManager, { url, parts, response }: RouteRequest): Promise<void> {
  const [, namespace = '', name = '', container = ''] = parts
  const pod = pods.list().find((p) => p.metadata.namespace === namespace && p.metadata.name === name)
  if (!pod) throw new HttpError(404, `pod "${name}" does not exist`)
  const options = logOptions(url, context.clock.now())
  const record = await instanceOf(context, pod, container, flagParam(url, 'previous'))
  if (!record.logPath) throw new HttpError(404, `container "${container}" in pod "${name}" has no log`)
  const stop = new AbortController()
  response.on('close', () => stop.abort())
  const running = async (): Promise<boolean> => {
    const { status } = await context.cri.containerStatus({ containerId: record.id }).catch(() => ({ status: undefined }))
    return status?.state === 'CONTAINER_RUNNING'
  }
  const lines = readLog(record.logPath, options, running, stop.signal)
  // The first piece is read before the head goes out, so that a log that is not there is an error and not an empty success.
  let next: IteratorResult<Buffer>
  try {
    next = await lines.next()
  } catch (error) {
    throw new HttpError(500, `failed to try resolving symlinks in path "${record.logPath}": ${error instanceof Error ? error.message : String(error)}`)
  }
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.flushHeaders()
  while (!next.done) {
    if (!response.write(next.value)) await Promise.race([once(response, 'drain'), once(response, 'close')])
    if (stop.signal.aborted) break
    next = await lines.next()
  }
  response.end()
}

function logOptions(url: URL, now: number): LogOptions {
  const tailLines = numberParam(url, 'tailLines')
  const limitBytes = numberParam(url, 'limitBytes')
  const sinceSeconds = numberParam(url, 'sinceSeconds')
  const sinceTime = url.searchParams.get('sinceTime')
  if (tailLines !== undefined && tailLines < 0) throw new HttpError(422, 'Invalid value: tailLines must be greater than or equal to 0')
  if (limitBytes !== undefined && limitBytes < 1) throw new HttpError(422, 'Invalid value: limitBytes must be greater than 0')
  if (sinceSeconds !== undefined && sinceSeconds < 1) throw new HttpError(422, 'Invalid value: sinceSeconds must be greater than 0')
  if (sinceSeconds !== undefined && sinceTime) throw new HttpError(422, 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified')
  const since = sinceSeconds !== undefined ? now - sinceSeconds * 1000 : sinceTime ? Date.parse(sinceTime) : undefined
  if (since !== undefined && Number.isNaN(since)) throw new HttpError(400, `invalid value for sinceTime: ${JSON.stringify(sinceTime)}`)
  const stream = url.searchParams.get('stream')
  if (stream !== null && stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr') throw new HttpError(422, `Unsupported value: ${JSON.stringify(stream)}: supported values: "All", "Stderr", "Stdout"`)
  return {
    follow: flagParam(url, 'follow'), timestamps: flagParam(url, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }), ...(limitBytes === undefined ? {} : { limitBytes }), ...(since === undefined ? {} : { since }), ...(stream === null ? {} : { stream }),
  }
}

/** The instance whose log is asked for: the newest that was started, or the one before it. */
async function instanceOf(context: WorkerContext, pod: Pod, container: string, previous: boolean): Promise<ContainerRecord> {
  const name = pod.metadata.name
  if (!findContainer(pod, container)) throw new HttpError(404, `container "${container}" not found in pod "${name}"`)
  const runtime = await context.runtime.read(pod.metadata.uid ?? '')
  const started = runtime.containers.filter((c) => c.name === container && c.state !== 'created')
  if (previous) {
    const status = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((s) => s.name === container)
    const waiting = status?.state?.waiting !== undefined
    // While the container waits for its next start, its newest instance is the previous one.
    const found = waiting && started[0]?.state === 'exited' ? started[0] : started[1]
    if (!found) throw new HttpError(400, `previous terminated container "${container}" in pod "${name}" not found`)
    return found
  }
  const newest = started[0]
  if (!newest) {
    const statuses = context.statuses.get(pod.metadata.uid ?? '') ?? pod.status
    const waiting = [...(statuses?.containerStatuses ?? []), ...(statuses?.initContainerStatuses ?? [])].find((s) => s.name === container)?.state?.waiting
    const reason = waiting?.reason ?? 'ContainerCreating'
    if (reason === 'ErrImagePull' || reason === 'ImagePullBackOff' || reason === 'ErrImageNeverPull')
      throw new HttpError(400, `container "${container}" in pod "${name}" is waiting to start: ${reason === 'ErrImagePull' ? 'image can\'t be pulled' : 'trying and failing to pull image'}`)
    throw new HttpError(400, `container "${container}" in pod "${name}" is waiting to start: ${reason}`)
  }
  return newest
}
