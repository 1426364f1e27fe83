// A `berth up` that is killed in the middle: whatever it had done by then, the next one completes it.
import { afterAll, describe, expect, test } from 'vitest'
import { clusterMissing, leftovers, testCluster } from './support/cluster.ts'

const missing = clusterMissing()
if (missing) console.log(`skipped: ${missing}`)

describe.skipIf(missing)('an interrupted start', () => {
  const cluster = testCluster('interrupted')
  afterAll(() => cluster.remove())

  // From the first file it writes to the last thing it waits for: a start takes some four seconds here.
  const moments = [100, 500, 1200, 3000].map((most) => Math.round(most * (0.5 + Math.random() / 2)))

  test(`berth up killed after ${moments.join(', ')} ms: the next one completes, and down leaves nothing`, async () => {
    for (const killAfterMs of moments) await cluster.berth(['up'], { killAfterMs })
    await cluster.up()
    const { code, stdout } = await cluster.berth(['status', '-o', 'json'])
    const status = JSON.parse(stdout) as { state: string; processes: Array<{ name: string; restarts: number }> }
    expect([code, status.state]).toEqual([0, 'running'])
    // Each of them once: none was started beside one that an interrupted start had left.
    expect(status.processes.map((p) => p.name)).toEqual(['containerd', 'dockerd', 'server', 'agent-n1'])
    expect((await cluster.kubectl(['get', 'nodes', '-o', 'name'])).trim()).toBe('node/n1')
    expect((await cluster.berth(['down'])).code).toBe(0)
    expect(await leftovers(cluster.layout)).toEqual([])
  })

  test('berth down killed in the middle: the next one completes it', async () => {
    await cluster.up()
    await cluster.berth(['down'], { killAfterMs: 300 + Math.round(Math.random() * 300) })
    const { code, stderr } = await cluster.berth(['down'])
    expect([code, stderr]).toEqual([0, ''])
    expect(await leftovers(cluster.layout)).toEqual([])
  })
})
