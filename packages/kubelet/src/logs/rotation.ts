import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Container } from '@berth/cri'
import { sleep } from '@berth/kube'
import { messageOf } from '../errors.ts'
import { ignoreNotFound } from '../runtime/read.ts'
import type { WorkerContext } from '../workers/context.ts'

/** Keeps running containers' logs below containerLogMaxSize: rename, ask the runtime to open a new file, compress older ones, keep containerLogMaxFiles. */
export function startLogRotation(options: { context: WorkerContext; listed(): readonly Container[]; signal: AbortSignal }): void {
  const { context, signal } = options
  void (async () => {
    while (!signal.aborted) {
      await sleep(context.clock, context.settings.containerLogMonitorMs, signal).catch(() => {})
      for (const c of options.listed()) {
        if (signal.aborted) return
        if (c.state !== 'CONTAINER_RUNNING') continue
        await rotate(context, c.id).catch((error: unknown) => context.logger.v(1).info('Failed to rotate log for container', { containerID: c.id, err: messageOf(error) }))
      }
    }
  })()
}

async function rotate(context: WorkerContext, containerId: string): Promise<void> {
  const path = (await ignoreNotFound(context.cri.containerStatus({ containerId })))?.status?.logPath
  if (!path) return
  const size = (await stat(path).catch(() => undefined))?.size
  if (size === undefined) {
    // Renamed by one who died before the runtime opened a new one.
    await context.cri.reopenContainerLog({ containerId })
    return
  }
  if (size < context.settings.containerLogMaxBytes) return
  await removeOldest(path, context.settings.containerLogMaxFiles - 2)
  for (const old of await rotatedLogs(path)) if (!old.endsWith('.gz')) await compress(old)
  const rotated = `${path}.${new Date(context.clock.now()).toISOString().replace(/[-:]/g, '').replace(/\.\d+Z$/, '').replace('T', '-')}`
  await rename(path, rotated)
  try {
    await context.cri.reopenContainerLog({ containerId })
  } catch (error) {
    // Without a new file the container would write into the renamed one for ever, unseen.
    await rename(rotated, path)
    throw error
  }
}

/** Rotated files of a log, oldest first. */
async function rotatedLogs(path: string): Promise<string[]> {
  const dir = dirname(path)
  const prefix = `${basename(path)}.`
  const names = (await readdir(dir)).filter((n) => n.startsWith(prefix))
  for (const n of names.filter((x) => x.endsWith('.tmp'))) await unlink(join(dir, n))
  return names.filter((n) => !n.endsWith('.tmp')).toSorted().map((n) => join(dir, n))
}

async function removeOldest(path: string, keep: number): Promise<void> {
  const files = await rotatedLogs(path)
  for (const file of files.slice(0, Math.max(0, files.length - Math.max(0, keep)))) await unlink(file)
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.tmp`
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary))
  await rename(temporary, `${path}.gz`)
  await unlink(path)
}
