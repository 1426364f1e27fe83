import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CgroupWrite } from './values.ts'

/** The v1 hierarchies that get a directory for each pod; runc makes one in the unified hierarchy of a hybrid host too. */
const controllers = ['cpu', 'cpuacct', 'memory', 'pids', 'cpuset', 'blkio', 'devices', 'freezer', 'hugetlb', 'net_cls', 'systemd', 'unified'] as const

/** The cgroup file system. Paths are absolute below the mount point (`/kubepods/burstable/pod…`). */
export interface Cgroups {
  readonly version: 1 | 2
  /** Makes the cgroup in every hierarchy, with its parents; nothing happens where it exists. */
  ensure(path: string): Promise<void>
  /** Writes values; a file that the kernel does not have is an error. */
  write(path: string, writes: readonly CgroupWrite[]): Promise<void>
  /** Kills what still runs in it and below, and removes it. */
  remove(path: string): Promise<void>
  /** The names of the directories directly below. */
  children(path: string): Promise<string[]>
  read(path: string, controller: string, file: string): Promise<string | undefined>
}

/** As upstream's pod container manager: processes need a moment to be gone after they were killed. */
const removeTries = 5
const removePauseMs = 100

/** The processes of a cgroup and of all below it. */
async function processesBelow(dir: string): Promise<number[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  const below = await Promise.all(entries.filter((e) => e.isDirectory()).map((e) => processesBelow(join(dir, e.name))))
  const own = (await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '')).split('\n').filter(Boolean).map(Number)
  return [...own.filter((pid) => pid > 0), ...below.flat()]
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The cgroups of this machine below `mount`. */
export function openCgroups(mount = '/sys/fs/cgroup'): Cgroups {
  const version = existsSync(join(mount, 'cgroup.controllers')) ? 2 : 1
  const roots = version === 2 ? [mount] : controllers.map((c) => join(mount, c)).filter((p) => existsSync(p))
  const rootOf = (controller: string): string => (version === 2 ? mount : join(mount, controller))

  const ensureCpuset = async (dir: string): Promise<void> => {
    // In v1 a new cpuset is empty and admits no process until it has CPUs and memory nodes: take the parent's.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = await readFile(join(dir, file), 'utf8').catch(() => '-')
      if (own.trim() === '') await writeFile(join(dir, file), await readFile(join(dir, '..', file), 'utf8'))
    }
  }
  const mkdirs = async (root: string, path: string): Promise<void> => {
    let dir = root
    for (const name of path.split('/').filter(Boolean)) {
      dir = join(dir, name)
      if (!existsSync(dir)) {
        if (version === 2) await enableControllers(join(dir, '..'))
        await mkdir(dir, { recursive: true })
      }
      if (version === 1 && root.endsWith('/cpuset')) await ensureCpuset(dir)
    }
  }
  const enableControllers = async (dir: string): Promise<void> => {
    const available = (await readFile(join(dir, 'cgroup.controllers'), 'utf8').catch(() => '')).split(/\s+/).filter(Boolean)
    for (const c of available) await writeFile(join(dir, 'cgroup.subtree_control'), `+${c}`).catch(() => {})
  }
  const removeTree = async (dir: string): Promise<void> => {
    if (!existsSync(dir)) return
    for (const entry of await readdir(dir, { withFileTypes: true })) if (entry.isDirectory()) await removeTree(join(dir, entry.name))
    await rmdir(dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  return {
    version,
    ensure: async (path) => {
      for (const root of roots) if (!existsSync(join(root, path)) || root.endsWith('/cpuset')) await mkdirs(root, path)
    },
    write: async (path, writes) => {
      for (const w of writes) {
        const file = join(rootOf(w.controller), path, w.file)
        if (!existsSync(rootOf(w.controller))) continue
        await writeFile(file, w.value)
      }
    },
    remove: async (path) => {
      for (let tries = 1; ; tries++) {
        // What is left in there belongs to nobody any more: a runtime that was killed while it started a container may have forgotten it.
        for (const root of roots) for (const pid of await processesBelow(join(root, path))) killNow(pid)
        try {
          for (const root of roots) await removeTree(join(root, path))
          return
        } catch (error) {
          if (tries >= removeTries || (error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
          await sleep(removePauseMs)
        }
      }
    },
    children: async (path) => {
      const names = new Set<string>()
      for (const root of roots) {
        const entries = await readdir(join(root, path), { withFileTypes: true }).catch(() => [])
        for (const e of entries) if (e.isDirectory()) names.add(e.name)
      }
      return [...names]
    },
    read: async (path, controller, file) => readFile(join(rootOf(controller), path, file), 'utf8').catch(() => undefined),
  }
}
