import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mounter } from './mounter.ts'
import { mountPoints } from './mounter.ts'
import { bindSubPath } from './sub-path.ts'

describe('a subPath', () => {
  let dir: string
  const bound: string[] = []
  const mounter: Mounter = { tmpfs: async () => {}, bind: async (from) => void bound.push(from), unmount: async () => {}, below: async () => [], isMountPoint: async () => false }
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'subpath-'))
    await mkdir(join(dir, 'volume/inside'), { recursive: true })
    await writeFile(join(dir, 'secret'), 'x')
    bound.length = 0
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('is bound by an open file, not by its name', async () => {
    await bindSubPath(join(dir, 'volume'), 'inside', join(dir, 'target'), mounter, true)
    expect(bound[0]).toMatch(/^\/proc\/\d+\/fd\/\d+$/)
  })
  it('is made where it is missing', async () => {
    await bindSubPath(join(dir, 'volume'), 'new/deep', join(dir, 'target'), mounter, true)
    expect(bound).toHaveLength(1)
  })
  it.each([['/etc', 'must be a relative path'], ['a/../../secret', 'must be a relative path']])('%s is refused', async (subPath, message) => {
    await expect(bindSubPath(join(dir, 'volume'), subPath, join(dir, 'target'), mounter, true)).rejects.toThrow(message)
  })
  it('that leads out of the volume by a link is refused', async () => {
    await symlink('../secret', join(dir, 'volume/out'))
    await symlink('/etc', join(dir, 'volume/etc'))
    await expect(bindSubPath(join(dir, 'volume'), 'out', join(dir, 'target'), mounter, true)).rejects.toThrow('leads out of the volume')
    await expect(bindSubPath(join(dir, 'volume'), 'etc/new', join(dir, 'target'), mounter, true)).rejects.toThrow('leads out of the volume')
    expect(bound).toEqual([])
  })
})

describe('mountinfo', () => {
  it('is read with its escapes', () => {
    expect(mountPoints('36 35 98:0 / /mnt/a\\040b rw - tmpfs tmpfs rw\n37 35 0:1 / /x rw - t t rw\n')).toEqual(['/mnt/a b', '/x'])
  })
})
