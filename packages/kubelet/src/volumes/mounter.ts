import { readFile } from 'node:fs/promises'
import { mountBind, mountTmpfs, unmount } from '@berth/native'

/** Mounts of this machine. */
export interface Mounter {
  /** Mounts a tmpfs; `sizeBytes` 0n leaves the kernel's default (half of memory). */
  tmpfs(path: string, sizeBytes: bigint): Promise<void>
  bind(from: string, to: string): Promise<void>
  /** What is not mounted is success. */
  unmount(path: string): Promise<void>
  /** Every mount point below (or at) the directory, deepest first. */
  below(dir: string): Promise<string[]>
  isMountPoint(path: string): Promise<boolean>
}

/** mountinfo writes spaces and the like as octal. */
const unescape = (text: string): string => text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** The mount points of a /proc/<pid>/mountinfo. */
export const mountPoints = (mountinfo: string): string[] =>
  mountinfo.split('\n').map((line) => line.split(' ')[4]).filter((p) => p !== undefined).map(unescape)

/** Mounts with the native program. */
export function nativeMounter(): Mounter {
  const points = async (): Promise<string[]> => mountPoints(await readFile('/proc/self/mountinfo', 'utf8'))
  return {
    tmpfs: (path, sizeBytes) => mountTmpfs(path, sizeBytes > 0n ? { size: sizeBytes } : {}),
    bind: (from, to) => mountBind(from, to, { recursive: true }),
    unmount: (path) => unmount(path),
    below: async (dir) => (await points()).filter((p) => p === dir || p.startsWith(`${dir}/`)).toSorted((a, b) => b.length - a.length),
    isMountPoint: async (path) => (await points()).includes(path),
  }
}
