import type { Shim } from '../shim.ts'
import { type CgroupPaths, cgroupsOf } from './cgroup.ts'
import { DiskUsageCache } from './disk-usage.ts'

/** What statistics and metrics are read from, kept for as long as a container lives. */
export interface StatsSources {
  /** Where the Engine keeps its data: the file system of images and writable layers. */
  engineRoot: string
  /** The cgroups of a container's (or sandbox's) first process; undefined where it does not run. */
  pathsOf(of: { id: string; pid: number }): Promise<CgroupPaths | undefined>
  disks: DiskUsageCache
}

export function createStatsSources(shim: Shim, engineRoot: string): StatsSources {
  const cgroups = new Map<string, { pid: number; paths: CgroupPaths }>()
  const disks = new DiskUsageCache()
  shim.store.on('change', ({ kind, record }) => {
    if (kind !== 'deleted') return
    cgroups.delete(record.id)
    disks.forget(record.upperDir)
  })
  return {
    engineRoot,
    disks,
    async pathsOf({ id, pid }) {
      const known = cgroups.get(id)
      if (known?.pid === pid) return known.paths
      const paths = pid === 0 ? undefined : await cgroupsOf(pid)
      if (paths) cgroups.set(id, { pid, paths })
      return paths
    },
  }
}
