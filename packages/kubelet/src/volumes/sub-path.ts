import { constants } from 'node:fs'
import { mkdir, open, readlink, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Mounter } from './mounter.ts'

/**
 * Makes `subPath` of a volume available at a mount of its own and gives that mount's path. A container may replace parts of the volume by links
 * while we look: the directory is opened once, the opened one is checked to lie in the volume, and it is that one which is bound.
 */
export async function bindSubPath(volume: string, subPath: string, target: string, mounter: Mounter, makeMissing: boolean): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) throw new Error(`failed to prepare subPath "${subPath}": must be a relative path without ".."`)
  const root = await realpath(volume)
  const wanted = join(root, subPath)
  if (makeMissing && !(await stat(wanted).catch(() => undefined))) await makeDirectories(root, subPath)
  const file = await open(await realpath(wanted), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const opened = await readlink(`/proc/self/fd/${file.fd}`)
    if (opened !== root && !opened.startsWith(`${root}/`)) throw new Error(`failed to prepare subPath "${subPath}": it leads out of the volume`)
    const isDirectory = (await file.stat()).isDirectory()
    if (await mounter.isMountPoint(target)) await mounter.unmount(target)
    await mkdir(dirname(target), { recursive: true })
    if (isDirectory) await mkdir(target, { recursive: true })
    else await (await open(target, 'a')).close()
    await mounter.bind(`/proc/${process.pid}/fd/${file.fd}`, target)
    return target
  } finally {
    await file.close()
  }
}

/** Makes the missing directories one by one, each below a parent that really lies in the volume. */
async function makeDirectories(root: string, subPath: string): Promise<void> {
  let dir = root
  for (const name of subPath.split('/').filter((n) => n !== '' && n !== '.')) {
    const next = join(dir, name)
    if (!(await stat(next).catch(() => undefined))) await mkdir(next, { mode: 0o750 })
    dir = await realpath(next)
    if (!dir.startsWith(`${root}/`)) throw new Error(`failed to prepare subPath "${subPath}": it leads out of the volume`)
  }
}
