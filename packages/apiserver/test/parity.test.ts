import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminToken, start, temporary } from './support/harness.ts'

const parity = process.env['BERTH_PARITY'] ?? ''
const runner = join(parity, 'run.mjs')
const present = parity !== '' && existsSync(runner)
if (!present) console.log('skipped: BERTH_PARITY names no folder of recorded answers')

interface Difference { file: string, scenario: string, step: number, request: string, diff: string[] }

/** Where we answer otherwise, and why: docs/control-plane.md tells the same. Everything else is answered word for word. */
const excepted: readonly { scenario: string, request?: string, why: string }[] = [
  { scenario: 'roots and groups', request: 'GET /api', why: 'a stock server was asked at another address' },
  { scenario: 'namespaces and classes', why: 'what the server itself wrote was written under the recorded server\'s name' },
  { scenario: 'customresourcedefinitions: create, read, table, update, patch, apply, delete', why: 'what the server itself wrote was written under the recorded server\'s name' },
  { scenario: 'resources of /apis/admissionregistration.k8s.io/v1', why: 'objects are stored in another version, so its hash is another' },
  { scenario: 'resources of /apis/apiextensions.k8s.io/v1', why: 'objects are stored in another version, so its hash is another' },
]
/** How many answers differ at most; one of them where a definition that is deleted is gone sooner than it was upstream. */
const differing = 14

describe.skipIf(!present)('a stock server\'s recorded answers', () => {
  let running: Awaited<ReturnType<typeof start>>
  let directory: Awaited<ReturnType<typeof temporary>>
  beforeAll(async () => {
    running = await start()
    directory = await temporary()
  })
  afterAll(async () => {
    await running?.stop()
    await directory?.remove()
  })

  it('are given word for word, but for those that are known to differ', async () => {
    const report = join(directory.path, 'report.json')
    // The runner's status says whether anything differed; the report says what.
    await promisify(execFile)(process.execPath, [runner, '--server', `https://127.0.0.1:${running.server.port}`, '--token', adminToken, '--json', report]).catch(() => undefined)
    const differences = JSON.parse(readFileSync(report, 'utf8')) as Difference[]
    const unknown = differences.filter(({ scenario, request }) => !excepted.some((e) => e.scenario === scenario && (e.request ?? request) === request))
    expect(unknown.map((d) => `${d.file} · ${d.scenario} · ${d.step} · ${d.request}: ${d.diff[0] ?? ''}`)).toEqual([])
    expect(differences.length).toBeLessThanOrEqual(differing)
  })
})
