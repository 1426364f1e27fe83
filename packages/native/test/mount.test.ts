import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mountBind, mountTmpfs, remount, runNative, unmount } from '../src/index.ts'
import { isRoot } from './namespaces.ts'

const mountLine = (target: string) => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').find((line) => line.split(' ')[4] === target)

describe.skipIf(!isRoot)('mount', () => {
  let dir = ''
  let target = ''
  beforeEach(() => {
    dir = mkdtempSync('/tmp/berth-mount-')
    target = `${dir}/target`
    mkdirSync(target)
  })
  afterEach(async () => {
    await unmount(target, { lazy: true })
    rmSync(dir, { recursive: true })
  })

  test('a tmpfs has the size, mode and owner it was asked for', async () => {
    await mountTmpfs(target, { size: 1 << 20, mode: 0o1777, uid: 7, gid: 8, noExec: true })
    expect(statSync(target)).toMatchObject({ uid: 7, gid: 8 })
    expect(statSync(target).mode & 0o7777).toBe(0o1777)
    expect(mountLine(target)).toMatch(/noexec.*size=1024k/)
    expect(() => writeFileSync(`${target}/big`, Buffer.alloc(2 << 20))).toThrow('ENOSPC')
  })

  test('a read-only bind shows the source and refuses writes', async () => {
    mkdirSync(`${dir}/source`)
    writeFileSync(`${dir}/source/file`, 'seen')
    await mountBind(`${dir}/source`, target, { readOnly: true, propagation: 'rprivate' })
    expect(readFileSync(`${target}/file`, 'utf8')).toBe('seen')
    expect(() => writeFileSync(`${target}/file`, 'x')).toThrow('EROFS')
    await remount(target, { readOnly: false })
    writeFileSync(`${target}/file`, 'written')
  })

  test('unmounting is done when nothing is mounted, and when the path is gone', async () => {
    await unmount(target)
    await unmount(`${dir}/absent`)
    await mountTmpfs(target)
    await unmount(target)
    expect(mountLine(target)).toBeUndefined()
  })

  test('a missing target is an error that names it', async () => {
    await expect(mountTmpfs(`${dir}/absent`)).rejects.toThrow(`mount tmpfs ${dir}/absent: No such file or directory`)
  })

  test.each([
    [['mount', 'tmpfs', 'relative'], 'not an absolute path'],
    [['mount', 'tmpfs', '/tmp', 'size=1G'], 'size=1G is not a valid number'],
    [['mount', 'tmpfs', '/tmp', 'mode=999'], 'mode=999 is not a valid number'],
    [['mount', 'bind', '/tmp', '/tmp', 'loop'], 'unknown option "loop"'],
    [['mount', 'ext4', '/tmp'], 'unknown kind "ext4"'],
  ])('%j is wrong usage', async (args, words) => {
    const { code, stderr } = await runNative(args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(words)])
  })
})
