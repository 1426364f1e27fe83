import { writeFile } from 'node:fs/promises'
import { CriError, type UpdateContainerResourcesRequest } from '@berth/cri'
import { attempt, engineMessage, engineStatus, tolerate } from '../errors.ts'
import { removeEngineContainer } from '../sandbox/run.ts'
import type { Shim } from '../shim.ts'
import { cgroupFilesOf, writeCgroupFiles } from './cgroup-files.ts'
import type { EngineRecord } from '../state/record.ts'
import { cgroupsOf, processesIn } from '../stats/cgroup.ts'
import { dockerResources } from './resources.ts'

/** StartContainer. One that runs already is fine; one that has ended cannot be started again. */
export async function startContainer(shim: Shim, id: string): Promise<void> {
  const record = await shim.store.mustContainer(id)
  await shim.locks.run(record.id, async () => {
    const now = await shim.store.mustContainer(record.id)
    if (now.state === 'running') return
    if (now.state === 'exited') throw new CriError('FailedPrecondition', `container ${record.id} is in CONTAINER_EXITED state`)
    await attempt(`failed to make the log of container ${record.id}`, () => shim.logs.prepare(now))
    try {
      await attempt(`failed to start container ${JSON.stringify(record.id)}`, () => tolerate([304], () => shim.engine.docker.getContainer(record.id).start()))
    } finally {
      await shim.store.refresh(record.id).catch(() => {})
    }
    await writeCgroupFiles(now.spec.cgroupFiles, (await shim.store.container(record.id))?.pid ?? 0)
  })
}

/** StopContainer: the stop signal, and after `timeout` seconds SIGKILL. One that is not running, or gone, is fine. */
export async function stopContainer(shim: Shim, id: string, timeout: bigint): Promise<void> {
  const record = await shim.store.container(id)
  if (!record || record.state !== 'running') return
  const container = shim.engine.docker.getContainer(record.id)
  await attempt(`failed to stop container ${record.id}`, () => tolerate([304, 404, 409], () => (timeout <= 0n ? container.kill() : container.stop({ t: Number(timeout) }))))
  await shim.store.refreshUnlessEnded(record.id)
}

/** RemoveContainer: ends it if it runs, lets its log be written to the end, removes it. One that is gone is fine. */
export async function removeContainer(shim: Shim, id: string): Promise<void> {
  const record = await shim.store.container(id)
  if (!record) return
  await shim.locks.run(record.id, async () => {
    if (record.state === 'running') await stopContainer(shim, record.id, 0n)
    await shim.logs.drained(record.id)
    await attempt(`failed to remove container ${record.id}`, () => removeEngineContainer(shim, record.id))
  })
}

/** UpdateContainerResources: what is zero or empty stays as it is. */
export async function updateContainerResources(shim: Shim, { containerId, linux }: UpdateContainerResourcesRequest): Promise<void> {
  const record = await shim.store.mustContainer(containerId)
  const files = cgroupFilesOf(linux, shim.cgroups)
  await shim.locks.run(record.id, async () => {
    try {
      await shim.engine.docker.getContainer(record.id).update(dockerResources(linux))
    } catch (error) {
      // A container that ended meanwhile is FailedPrecondition, whatever the Engine calls it.
      const code = engineStatus(error) === 409 || /is not running|no such process/i.test(engineMessage(error)) ? 'FailedPrecondition' : 'Unknown'
      throw new CriError(code, `failed to update resources of container ${record.id}: ${engineMessage(error)}`, { cause: error })
    }
    const now = await shim.store.refresh(record.id)
    await writeCgroupFiles(files, now?.pid ?? 0)
    await writeOomScore(shim, linux?.oomScoreAdj ?? 0n, now)
  })
}

/** The Engine cannot change a running container's OOM score: the shim writes it for all its processes. */
async function writeOomScore(shim: Shim, wanted: bigint, record: EngineRecord | undefined): Promise<void> {
  if (wanted === 0n || !record || record.pid === 0 || BigInt(record.resources.oomScoreAdj) === wanted) return
  const paths = await cgroupsOf(record.pid)
  for (const pid of paths ? await processesIn(paths) : [record.pid]) {
    await writeFile(`/proc/${pid}/oom_score_adj`, String(shim.clampOomScore(Number(wanted)))).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw new CriError('Unknown', `cannot set the OOM score of process ${pid}: ${error.message}`, { cause: error })
    })
  }
}
