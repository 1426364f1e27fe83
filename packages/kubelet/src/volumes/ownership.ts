import { chmod, chown, lchown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const setGid = 0o2000

/**
 * Gives a volume to the pod's fsGroup, as upstream: everything belongs to the group, is readable (and writable, if the volume is) by it, and
 * directories pass the group on. Links are changed themselves, never what they point to.
 */
export async function setVolumeOwnership(path: string, fsGroup: number, options: { readOnly?: boolean; onRootMismatch?: boolean } = {}): Promise<void> {
  const found = await lstat(path)
  const bits = options.readOnly ? 0o440 : 0o660
  if (options.onRootMismatch && found.gid === fsGroup && (found.mode & bits) === bits && (found.mode & setGid) !== 0) return
  await walk(path, fsGroup, bits)
}

async function walk(path: string, gid: number, bits: number): Promise<void> {
  const found = await lstat(path)
  if (found.isSymbolicLink()) return void (await lchown(path, found.uid, gid))
  await chown(path, found.uid, gid)
  await chmod(path, (found.mode & 0o7777) | bits | (found.isDirectory() ? setGid | 0o110 : 0))
  if (found.isDirectory()) for (const name of await readdir(path)) await walk(join(path, name), gid, bits)
}
