import { createWriteStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type CheckpointContainerRequest, CriError } from '@berth/cri'
import { pack, type Pack } from 'tar-stream'
import { engineMessage, engineStatus, toCriError } from '../errors.ts'
import type { Shim } from '../shim.ts'
import type { ContainerRecord } from '../state/record.ts'

/**
 * CheckpointContainer: has CRIU write the container's state through the Engine's checkpoint API (experimental mode), and puts it with the container's description into a tar archive at
 * `location`, 0600. The container goes on running. Unimplemented where the Engine is not experimental or has no CRIU.
 */
export async function checkpointContainer(shim: Shim, { containerId, location, timeout }: CheckpointContainerRequest, signal: AbortSignal): Promise<void> {
  const record = await shim.store.mustContainer(containerId)
  if (record.state !== 'running') throw new CriError('FailedPrecondition', `container ${record.id} is not running`)
  if (!location.startsWith('/')) throw new CriError('InvalidArgument', `location: ${JSON.stringify(location)} is not absolute`)
  const { ExperimentalBuild } = (await shim.engine.docker.info()) as { ExperimentalBuild?: boolean }
  if (!ExperimentalBuild) throw new CriError('Unimplemented', `CheckpointContainer needs CRIU and a Docker Engine in experimental mode ("experimental": true in daemon.json); this one (${shim.engine.version}) is not`)
  const directory = await mkdtemp(join(dirname(location), '.berth-checkpoint-'))
  const deadline = timeout > 0n ? AbortSignal.any([signal, AbortSignal.timeout(Number(timeout) * 1000)]) : signal
  try {
    const id = `checkpoint-${record.id.slice(0, 12)}`
    await withDeadline(deadline, createCheckpoint(shim, record.id, id, directory))
    const whole = join(directory, 'archive.tar')
    await writeArchive(whole, join(directory, id), record)
    await rename(whole, location)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function createCheckpoint(shim: Shim, containerId: string, CheckpointID: string, CheckpointDir: string): Promise<void> {
  try {
    const container = shim.engine.docker.getContainer(containerId) as unknown as { createCheckpoint(options: object): Promise<unknown> }
    await container.createCheckpoint({ CheckpointID, CheckpointDir, Exit: false })
  } catch (error) {
    if (/criu/i.test(engineMessage(error)) && /not found|no such file|executable/i.test(engineMessage(error))) {
      throw new CriError('Unimplemented', `CheckpointContainer needs CRIU (criu(8)) on this machine: ${engineMessage(error)}`, { cause: error })
    }
    if (engineStatus(error) === 404) throw new CriError('NotFound', engineMessage(error), { cause: error })
    throw toCriError(error, `failed to checkpoint container ${containerId}`)
  }
}

async function withDeadline<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const gone = new Promise<never>((_resolve, reject) => {
    const abort = (): void => reject(new CriError('DeadlineExceeded', 'the checkpoint took too long'))
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
  return Promise.race([work, gone])
}

/** The layout that other runtimes write: config.dump, and the state's files below checkpoint/. */
async function writeArchive(path: string, state: string, record: ContainerRecord): Promise<void> {
  const tar = pack()
  const done = pipeline(tar, createWriteStream(path, { mode: 0o600 }))
  const { spec } = record
  const config = { id: record.id, name: spec.metadata.name, rootfsImageRef: record.imageId, rootfsImageName: spec.image, runtime: 'docker', createdTime: new Date(Number(record.createdAt / 1_000_000n)).toISOString() }
  tar.entry({ name: 'config.dump', mode: 0o600 }, `${JSON.stringify(config)}\n`)
  await addTree(tar, state, 'checkpoint')
  tar.finalize()
  await done
}

async function addTree(tar: Pack, directory: string, name: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    const path = join(directory, entry)
    const info = await stat(path)
    if (info.isDirectory()) await addTree(tar, path, `${name}/${entry}`)
    else tar.entry({ name: `${name}/${entry}`, mode: 0o600 }, await readFile(path))
  }
}
