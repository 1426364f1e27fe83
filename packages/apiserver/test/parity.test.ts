import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { storedResources } from '../src/resources/index.ts'
import { adminToken, start, temporary } from './support/harness.ts'

const parity = process.env['BERTH_PARITY'] ?? ''
const runner = join(parity, 'run.mjs')
const present = parity !== '' && existsSync(runner)
if (!present) console.log('skipped: BERTH_PARITY names no folder of recorded answers')

interface Difference { file: string, scenario: string, step: number, request: string, diff: string[] }

/** Kinds that are served: of scenarios about others nothing is expected. */
const served = new Set(storedResources.map((d) => d.resource.resource))
/** Files in which every answer concerns what is served. */
const whole = ['access', 'apply', 'deletion', 'invalid-pods', 'invalid-services', 'lists', 'patches', 'subresources', 'validation']
/** Files with scenarios about one kind each, named `<plural>: ...`. */
const perKind = ['resources', 'defaults', 'invalid-workloads', 'invalid-others']
/** A stock server was asked at another address. */
const excepted = [{ scenario: 'roots and groups', request: 'GET /api' }]

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

  it('are given word for word for every kind that is served', async () => {
    const report = join(directory.path, 'report.json')
    const files = [...whole, ...perKind].map((name) => join(parity, 'cases', `${name}.json`))
    // The runner's status says whether anything differed; the report says what.
    await promisify(execFile)(process.execPath, [runner, '--server', `https://127.0.0.1:${running.server.port}`, '--token', adminToken, '--json', report, ...files]).catch(() => undefined)
    const differences = JSON.parse(readFileSync(report, 'utf8')) as Difference[]
    const ours = differences.filter(({ file, scenario, request }) => {
      if (excepted.some((e) => e.scenario === scenario && e.request === request)) return false
      return whole.includes(file.replace('.json', '')) || served.has(scenario.split(':')[0] ?? '')
    })
    expect(ours.map((d) => `${d.file} · ${d.scenario} · ${d.step} · ${d.request}: ${d.diff[0] ?? ''}`)).toEqual([])
  })
})
