import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap, start, temporary } from './support/harness.ts'

const collection = '/api/v1/namespaces/default/configmaps'

/** A small file system of its own; undefined (with the reason printed) where one may not be mounted. */
function smallDisk(path: string): boolean {
  mkdirSync(path, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path], { stdio: 'pipe' })
    return true
  } catch (error) {
    console.log(`skipped: no tmpfs can be mounted here (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`)
    return false
  }
}

const directory = await temporary()
const disk = join(directory.path, 'disk')
const mounted = smallDisk(disk)

describe.skipIf(!mounted)('a full disk', () => {
  let running: Awaited<ReturnType<typeof start>>
  beforeAll(async () => { running = await start({ storage: 'sqlite', dataDir: join(disk, 'data'), certDir: join(directory.path, 'pki') }) })
  afterAll(async () => {
    await running?.stop()
    execFileSync('umount', [disk])
    await directory.remove()
  })

  it('refuses writes with a clear error, goes on answering reads, and takes writes again when there is room', async () => {
    const { send } = running
    const filler = join(disk, 'filler')
    const made: string[] = []
    expect((await send('POST', collection, configMap('before', { a: '1' }))).status).toBe(201)
    try {
      writeFileSync(filler, Buffer.alloc(16 * 1024 * 1024))
    } catch {
      // ENOSPC: just what is wanted.
    }
    let refusal = await send('POST', collection, configMap('big-0', { a: 'x'.repeat(200_000) }))
    for (let i = 1; i < 40 && refusal.status === 201; i++) {
      made.push(`big-${i - 1}`)
      refusal = await send('POST', collection, configMap(`big-${i}`, { a: 'x'.repeat(200_000) }))
    }
    expect([refusal.status, refusal.text]).toEqual([500, expect.stringContaining('storage is read-only')])
    expect((await send('POST', collection, configMap('small'))).status).toBe(500)
    expect((await send('GET', `${collection}/before`)).status).toBe(200)
    expect((await send('GET', '/readyz?verbose')).text).toContain('[-]storage failed')
    expect((await send('GET', '/livez')).status).toBe(200)

    rmSync(filler)
    let after = await send('POST', collection, configMap('after'))
    // One write in five seconds is let through to see whether the disk is back.
    for (let i = 0; i < 40 && after.status !== 201; i++) {
      await new Promise((resolve) => setTimeout(resolve, 250))
      after = await send('POST', collection, configMap('after'))
    }
    expect(after.status).toBe(201)
    for (const name of ['before', 'after', ...made]) expect((await send('GET', `${collection}/${name}`)).status).toBe(200)
    expect((await send('GET', '/readyz')).status).toBe(200)
  })
})
