import { chmod, mkdir } from 'node:fs/promises'
import { parseQuantity } from '@berth/kube'
import { setVolumeOwnership } from './ownership.ts'
import { type VolumePlugin, volumePath } from './plugin.ts'

/** A directory of the pod's own, on disk or (`medium: Memory`) in a tmpfs of at most sizeLimit, the pod's memory limit and the node's memory. */
export const emptyDirVolume: VolumePlugin = {
  source: 'emptyDir',
  setUp: async (volume, context) => {
    const source = volume.emptyDir ?? {}
    const medium = source.medium ?? ''
    if (medium !== '' && medium !== 'Memory') throw new Error(`emptyDir medium "${medium}" is not served by this kubelet`)
    const path = volumePath(context, 'empty-dir', volume.name)
    const made = (await mkdir(path, { recursive: true })) !== undefined
    const fsGroup = context.pod.spec.securityContext?.fsGroup
    if (medium === 'Memory') {
      if (await context.mounter.isMountPoint(path)) return path
      const limit = source.sizeLimit === undefined ? 0n : parseQuantity(source.sizeLimit).value()
      const size = limit > 0n && (context.memoryLimit === 0n || limit < context.memoryLimit) ? limit : context.memoryLimit
      await context.mounter.tmpfs(path, size)
    } else if (!made) return path
    await chmod(path, 0o777)
    if (fsGroup !== undefined) await setVolumeOwnership(path, fsGroup)
    return path
  },
}
