import { mkdir, rmdir } from 'node:fs/promises'
import type { PersistentVolume, Volume } from '@berth/api/types/core/v1'
import { setVolumeOwnership } from './ownership.ts'
import { kindOf } from './kind-of.ts'
import { type VolumeContext, volumePath } from './plugin.ts'

/** A directory of the node, mounted into the pod's own: what ends with the pod is the mount, never the data. */
export async function localVolume(volume: Volume, { metadata: { name }, spec }: PersistentVolume, context: VolumeContext): Promise<string> {
  const from = spec.local?.path ?? ''
  const target = volumePath(context, 'local-volume', name)
  if (await context.mounter.isMountPoint(target)) return target
  const kind = await kindOf(from)
  if (kind === undefined) throw new Error(`MountVolume.NewMounter initialization failed for volume "${name}" : path "${from}" does not exist`)
  if (kind === 'block') throw new Error(`local volume "${name}" is a block device, which this kubelet does not mount`)
  if (kind === 'other') throw new Error(`local volume "${name}" at "${from}" is not a directory`)
  await mkdir(target, { recursive: true, mode: 0o750 })
  try {
    await context.mounter.bind(from, target)
  } catch (error) {
    await rmdir(target).catch(() => {})
    throw error
  }
  const { fsGroup, fsGroupChangePolicy } = context.pod.spec.securityContext ?? {}
  const readOnly = volume.persistentVolumeClaim?.readOnly === true
  if (fsGroup !== undefined && !readOnly) await setVolumeOwnership(target, fsGroup, { onRootMismatch: fsGroupChangePolicy === 'OnRootMismatch' })
  return target
}
