import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { findMatchingVolume, hasAccessModes } from '@berth/pod-rules'

/**
 * The volume that the binder gives to a claim: of those that can do no more than what is asked for first, so that a volume for many readers is
 * not spent on a claim for one; in each such group the smallest that fits.
 */
export function bestVolumeFor(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[], late: boolean): PersistentVolume | undefined {
  const groups = new Map<string, PersistentVolume[]>()
  for (const volume of volumes) {
    if (!hasAccessModes(claim, volume)) continue
    const modes = [...new Set(volume.spec.accessModes)].sort().join(',')
    const group = groups.get(modes) ?? []
    group.push(volume)
    groups.set(modes, group)
  }
  const sizeOf = (modes: string): number => modes.split(',').length
  for (const [, group] of [...groups].toSorted(([a], [b]) => sizeOf(a) - sizeOf(b))) {
    const found = findMatchingVolume(claim, group, { bindsLate: late })
    if (found) return found
  }
  return undefined
}
