import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A file of a volume. `mode` is its permission bits, `uid` its owner where that is not root. */
export interface FileProjection { data: Buffer; mode: number; uid?: number }

/** Files by their path in the volume. */
export type Payload = Map<string, FileProjection>

const dataLink = '..data'
const maxPathLength = 4096
const maxNameLength = 255

/** Throws where a path would leave the volume or collide with the writer's own names. */
export function validatePaths(payload: Payload): void {
  for (const path of payload.keys()) {
    const parts = path.split('/')
    if (path === '' || path.startsWith('/')) throw new Error(`invalid path: must be relative path: ${path}`)
    if (path.length > maxPathLength) throw new Error(`invalid path: must be less than or equal to ${maxPathLength} characters`)
    if (parts.includes('..')) throw new Error(`invalid path: must not contain '..': ${path}`)
    if (path.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`)
    if (parts.some((p) => p.length > maxNameLength)) throw new Error(`invalid path: filenames must be less than or equal to ${maxNameLength} characters`)
  }
}

/**
 * Puts the payload into a directory so that readers see the old files or the new ones, never a mix: the files go into a new directory, to which the
 * link `..data` is renamed; each file's visible name links through `..data`. Nothing is written where the directory already holds the payload.
 * `finish` may set the new directory's ownership before it becomes visible. Gives whether something changed.
 */
export async function writeAtomically(target: string, payload: Payload, finish?: (dir: string) => Promise<void>): Promise<boolean> {
  validatePaths(payload)
  const old = await readlink(join(target, dataLink)).catch(() => undefined)
  const oldDir = old === undefined ? undefined : join(target, old)
  if (oldDir && (await holds(oldDir, payload))) {
    await linkVisible(target, payload)
    return false
  }
  const now = new Date().toISOString().replace(/[-:T]/g, '_').replace('Z', '')
  const dir = await mkdtemp(join(target, `..${now}.`))
  await chmod(dir, 0o755)
  for (const [path, file] of payload) await writeOne(dir, path, file)
  await finish?.(dir)
  const temporary = join(target, `..data_tmp_${randomBytes(4).toString('hex')}`)
  await symlink(dir.slice(target.length + 1), temporary)
  await rename(temporary, join(target, dataLink))
  await linkVisible(target, payload)
  await unlinkStale(target, payload)
  if (oldDir) await rm(oldDir, { recursive: true, force: true })
  return true
}

async function writeOne(dir: string, path: string, file: FileProjection): Promise<void> {
  const full = join(dir, path)
  await mkdir(dirname(full), { recursive: true, mode: 0o755 })
  await writeFile(full, file.data, { mode: file.mode })
  // Not left to the umask.
  await chmod(full, file.mode)
  if (file.uid !== undefined) await chown(full, file.uid, -1)
}

async function listFiles(dir: string, prefix = ''): Promise<string[]> {
  const files: string[] = []
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name
    if (entry.isDirectory()) files.push(...(await listFiles(join(dir, entry.name), path)))
    else files.push(path)
  }
  return files
}

async function holds(dir: string, payload: Payload): Promise<boolean> {
  try {
    const files = await listFiles(dir)
    if (files.length !== payload.size) return false
    for (const path of files) {
      const wanted = payload.get(path)
      if (!wanted || !(await readFile(join(dir, path))).equals(wanted.data)) return false
      // Group bits may have been added for fsGroup; what the owner may do is the writer's.
      if (((await stat(join(dir, path))).mode & 0o700) !== (wanted.mode & 0o700)) return false
    }
    return true
  } catch {
    return false
  }
}

const visibleNames = (payload: Payload): Set<string> => new Set([...payload.keys()].map((p) => p.split('/')[0] ?? p))

async function linkVisible(target: string, payload: Payload): Promise<void> {
  for (const name of visibleNames(payload)) {
    const path = join(target, name)
    const found = await lstat(path).catch(() => undefined)
    if (!found) await symlink(join(dataLink, name), path)
  }
}

async function unlinkStale(target: string, payload: Payload): Promise<void> {
  const wanted = visibleNames(payload)
  for (const name of await readdir(target)) if (!name.startsWith('..') && !wanted.has(name)) await unlink(join(target, name))
}
