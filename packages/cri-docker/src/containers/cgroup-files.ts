import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CriError, type LinuxContainerResources } from '@berth/cri'
import type { CgroupFiles } from '../state/labels.ts'
import { cgroupsOf } from '../stats/cgroup.ts'

const root = '/sys/fs/cgroup'

/** What this machine's cgroups can limit beyond what Docker can. */
export interface CgroupAbilities {
  version: 1 | 2
  hugepages: boolean
}

/** Looks at the cgroup file systems and the kernel's list of controllers. */
export async function cgroupAbilities(): Promise<CgroupAbilities> {
  const unified = await readFile(join(root, 'cgroup.controllers'), 'utf8').catch(() => undefined)
  if (unified !== undefined) return { version: 2, hugepages: unified.split(/\s+/).includes('hugetlb') }
  return { version: 1, hugepages: await access(join(root, 'hugetlb')).then(() => true, () => false) }
}

/**
 * The part of a container's limits that the shim writes itself: huge pages and files of the unified hierarchy. Huge page limits of zero, which kubelets always send, are what a
 * container has without huge pages, and need no controller. Throws CriError naming the field where this machine's kernel cannot do it.
 */
export function cgroupFilesOf(resources: Pick<LinuxContainerResources, 'hugepageLimits' | 'unified'> | undefined, abilities: CgroupAbilities): CgroupFiles | undefined {
  const limits = resources?.hugepageLimits ?? []
  const wanted = limits.find(({ limit }) => limit > 0n)
  if (wanted && !abilities.hugepages) throw new CriError('InvalidArgument', `resources.hugepage_limits: this machine's cgroups have no hugetlb controller (${wanted.pageSize})`)
  for (const { pageSize } of limits) if (!/^\d+[KMGT]?B$/.test(pageSize)) throw new CriError('InvalidArgument', `resources.hugepage_limits: ${JSON.stringify(pageSize)} is no page size`)
  const unified = Object.entries(resources?.unified ?? {})
  if (unified.length > 0 && abilities.version === 1) throw new CriError('InvalidArgument', `resources.unified: this machine has cgroup v1, which knows no ${unified.map(([key]) => key).join(', ')}`)
  for (const [key] of unified) if (!/^[a-z0-9_]+(\.[A-Za-z0-9_]+)+$/.test(key)) throw new CriError('InvalidArgument', `resources.unified: ${JSON.stringify(key)} is no file of a cgroup`)
  const files: CgroupFiles = {
    ...(abilities.hugepages && limits.length > 0 ? { hugepages: Object.fromEntries(limits.map(({ pageSize, limit }) => [pageSize, String(limit)])) } : {}),
    ...(unified.length > 0 ? { unified: Object.fromEntries(unified) } : {}),
  }
  return Object.keys(files).length > 0 ? files : undefined
}

/** The files to write below a container's cgroup directories, with what goes into them. */
export function cgroupWrites(files: CgroupFiles, paths: { version: 1 | 2; cpu: string; hugetlb: string }): [path: string, value: string][] {
  const huge = Object.entries(files.hugepages ?? {}).map(([size, limit]): [string, string] =>
    paths.version === 1 ? [join(root, 'hugetlb', paths.hugetlb, `hugetlb.${size}.limit_in_bytes`), limit] : [join(root, paths.hugetlb, `hugetlb.${size}.max`), limit],
  )
  return [...huge, ...Object.entries(files.unified ?? {}).map(([key, value]): [string, string] => [join(root, paths.cpu, key), value])]
}

/** Writes them for a container that runs; throws CriError naming the file. */
export async function writeCgroupFiles(files: CgroupFiles | undefined, pid: number): Promise<void> {
  if (!files || pid === 0) return
  const paths = await cgroupsOf(pid)
  if (!paths) return
  for (const [path, value] of cgroupWrites(files, paths)) {
    try {
      await writeFile(path, value)
    } catch (error) {
      throw new CriError('Unknown', `cannot write ${value} to ${path}: ${(error as Error).message}`, { cause: error })
    }
  }
}
