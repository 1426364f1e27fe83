import { mkdir, open, stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import type { VolumePlugin } from './plugin.ts'

const wanted: Record<string, { is: (s: Stats) => boolean; problem: string }> = {
  Directory: { is: (s) => s.isDirectory(), problem: 'is not a directory' },
  File: { is: (s) => s.isFile(), problem: 'is not a file' },
  Socket: { is: (s) => s.isSocket(), problem: 'is not a socket file' },
  CharDevice: { is: (s) => s.isCharacterDevice(), problem: 'is not a character device' },
  BlockDevice: { is: (s) => s.isBlockDevice(), problem: 'is not a block device' },
}

/** A path of the node, checked (or made) as its type says. */
export const hostPathVolume: VolumePlugin = {
  source: 'hostPath',
  setUp: async (volume) => {
    const { path = '', type = '' } = volume.hostPath ?? {}
    const found = await stat(path).catch(() => undefined)
    if (type === '') return path
    if (type === 'DirectoryOrCreate' || type === 'FileOrCreate') {
      const directory = type === 'DirectoryOrCreate'
      if (!found) {
        if (directory) await mkdir(path, { recursive: true, mode: 0o755 })
        else await (await open(path, 'a', 0o644)).close()
      } else if (directory ? !found.isDirectory() : !found.isFile()) throw new Error(`hostPath type check failed: ${path} is not a ${directory ? 'directory' : 'file'}`)
      return path
    }
    const check = wanted[type]
    if (!check) throw new Error(`hostPath type "${type}" is unknown`)
    if (!found || !check.is(found)) throw new Error(`hostPath type check failed: ${path} ${check.problem}`)
    return path
  },
}
