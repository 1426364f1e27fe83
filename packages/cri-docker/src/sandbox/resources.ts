import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CriError, type UpdatePodSandboxResourcesRequest } from '@berth/cri'
import type { Shim } from '../shim.ts'
import type { SandboxRecord } from '../state/record.ts'

const fileName = 'resources.json'

/**
 * UpdatePodSandboxResources: the kubelet has changed the pod's own cgroup before it calls; what it has set is kept with the sandbox, where PodSandboxStatus (verbose) shows it.
 */
export async function updatePodSandboxResources(shim: Shim, { podSandboxId, overhead, resources }: UpdatePodSandboxResourcesRequest): Promise<void> {
  const record = await shim.store.mustSandbox(podSandboxId)
  await shim.locks.run(record.id, async () => {
    const now = await shim.store.mustSandbox(record.id)
    if (now.state !== 'running') throw new CriError('FailedPrecondition', `sandbox ${record.id} is not running`)
    const path = join(record.spec.directory, fileName)
    const text = JSON.stringify({ overhead, resources }, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
    await writeFile(`${path}.tmp`, text, { mode: 0o600 })
    await rename(`${path}.tmp`, path)
  })
}

/** What was set last, or undefined. */
export async function podSandboxResources({ spec }: SandboxRecord): Promise<unknown> {
  const text = await readFile(join(spec.directory, fileName), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}
