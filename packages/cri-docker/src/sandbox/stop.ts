import { attempt, tolerate } from '../errors.ts'
import { removeContainer, stopContainer } from '../containers/lifecycle.ts'
import type { Shim } from '../shim.ts'
import { removeSandboxFiles } from './files.ts'
import { removeEngineContainer } from './run.ts'

/**
 * StopPodSandbox: ends what still runs in the sandbox, takes down its network (while its namespace is there), ends the pause. Again and after the Engine lost
 * the sandbox it does what is left, and then nothing.
 */
export async function stopPodSandbox(shim: Shim, id: string): Promise<void> {
  const record = await shim.store.sandbox(id)
  const fullId = record?.id ?? id
  await shim.locks.run(fullId, async () => {
    const running = (await shim.store.containersOf(fullId)).filter(({ state }) => state === 'running')
    await Promise.all(running.map((container) => stopContainer(shim, container.id, 0n)))
    if (record?.spec.namespaces.network !== 'NODE') await shim.network.detach(fullId, record?.pid ?? 0, record?.spec)
    if (record?.state !== 'running') return
    // The pause has nothing to finish.
    await attempt(`failed to stop sandbox ${fullId}`, () => tolerate([404, 409], () => shim.engine.docker.getContainer(fullId).kill()))
    await shim.store.refreshUnlessEnded(fullId)
  })
}

/** RemovePodSandbox: stops it, removes its containers, itself and its files. One that is gone is fine. */
export async function removePodSandbox(shim: Shim, id: string): Promise<void> {
  const record = await shim.store.sandbox(id)
  if (!record) return
  await stopPodSandbox(shim, record.id)
  await Promise.all((await shim.store.containersOf(record.id)).map((container) => removeContainer(shim, container.id)))
  await attempt(`failed to remove sandbox ${record.id}`, () => removeEngineContainer(shim, record.id))
  await removeSandboxFiles(shim.engine, record.spec.directory)
}
