import { chmod, mkdir } from 'node:fs/promises'
import { type Payload, writeAtomically } from './atomic-writer.ts'
import { setVolumeOwnership } from './ownership.ts'
import type { VolumeContext } from './plugin.ts'

/** Brings a directory (a tmpfs where `memory` is set) to hold the payload, owned as the pod asks. Gives the path. */
export async function writePayload(path: string, payload: Payload, context: VolumeContext, memory: boolean): Promise<string> {
  await mkdir(path, { recursive: true })
  if (memory && !(await context.mounter.isMountPoint(path))) await context.mounter.tmpfs(path, context.memoryLimit)
  await chmod(path, 0o777)
  const fsGroup = context.pod.spec.securityContext?.fsGroup
  await writeAtomically(path, payload, fsGroup === undefined ? undefined : (dir) => setVolumeOwnership(dir, fsGroup, { readOnly: true }))
  return path
}
