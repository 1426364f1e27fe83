import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../engine/connect.ts'
import { everyCapability, hasCapability } from './capabilities.ts'
import type { DockerMount } from './mounts.ts'

/** The part of Docker's HostConfig that being privileged becomes. */
export interface DockerPrivileges {
  Privileged: boolean
  CapAdd?: string[]
  SecurityOpt?: string[]
  DeviceCgroupRules?: string[]
  Devices?: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[]
  MaskedPaths?: string[]
  ReadonlyPaths?: string[]
}

/**
 * Privileged, as Docker has it. Where this machine itself lacks capabilities, Docker's own privileged container cannot start (it asks for all that the kernel knows): there it is put
 * together out of what the machine has: every capability there is, every device, no confinement, and /sys writable.
 */
export async function privilegesOf(available: bigint, engine: Pick<Engine, 'speaks'>): Promise<{ host: DockerPrivileges; mounts: DockerMount[] }> {
  const known = everyCapability(engine)
  const has = known.filter((name) => hasCapability(available, name))
  if (has.length === known.length) return { host: { Privileged: true }, mounts: [] }
  return {
    host: {
      Privileged: false,
      CapAdd: has,
      SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined', 'label=disable'],
      DeviceCgroupRules: ['a *:* rwm'],
      Devices: (await devicesIn('/dev')).map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: 'rwm' })),
      MaskedPaths: [],
      ReadonlyPaths: [],
    },
    mounts: [{ Type: 'bind', Source: '/sys', Target: '/sys', ReadOnly: false, BindOptions: { Propagation: 'rprivate' } }],
  }
}

/** What every container has of its own, and what is no device of the machine. */
const leftOut = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console', 'null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'stdin', 'stdout', 'stderr', 'core'])

async function devicesIn(directory: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (directory === '/dev' && leftOut.has(entry.name)) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) found.push(...(await devicesIn(path)))
    else if (entry.isCharacterDevice() || entry.isBlockDevice()) {
      if (await stat(path).then(() => true, () => false)) found.push(path)
    }
  }
  return found
}
