import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Payload, validatePaths, writeAtomically } from './atomic-writer.ts'

const payload = (files: Record<string, string>, mode = 0o644): Payload => new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]))

describe('the atomic writer', () => {
  let dir: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'atomic-'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))
  const visible = async (): Promise<string[]> => (await readdir(dir)).filter((n) => !n.startsWith('..')).toSorted()

  it('shows files through ..data', async () => {
    expect(await writeAtomically(dir, payload({ a: '1', 'd/b': '2' }))).toBe(true)
    expect(await visible()).toEqual(['a', 'd'])
    expect(await readlink(join(dir, 'a'))).toBe('..data/a')
    expect(await readFile(join(dir, 'd/b'), 'utf8')).toBe('2')
  })

  it('writes nothing where nothing has changed', async () => {
    await writeAtomically(dir, payload({ a: '1' }))
    const before = await readlink(join(dir, '..data'))
    expect(await writeAtomically(dir, payload({ a: '1' }))).toBe(false)
    expect(await readlink(join(dir, '..data'))).toBe(before)
  })

  it('replaces all files at once and removes those that are gone', async () => {
    await writeAtomically(dir, payload({ a: '1', b: '1' }))
    await writeAtomically(dir, payload({ a: '2', c: '2' }))
    expect(await visible()).toEqual(['a', 'c'])
    expect(await readFile(join(dir, 'a'), 'utf8')).toBe('2')
    expect((await readdir(dir)).filter((n) => n.startsWith('..2'))).toHaveLength(1)
  })

  it('sets modes whatever the umask is', async () => {
    const old = process.umask(0o077)
    try {
      await writeAtomically(dir, payload({ a: '1' }, 0o666))
      expect((await stat(join(dir, 'a'))).mode & 0o777).toBe(0o666)
    } finally {
      process.umask(old)
    }
  })

  it.each(['/a', '../a', 'a/../../b', '..a', ''])('refuses the path %j', (path) => {
    expect(() => validatePaths(payload({ [path]: '' }))).toThrow('invalid path')
  })
})
