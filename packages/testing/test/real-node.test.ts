// A real node: our kubelet in this process, on a containerd of the test's own.
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missing, startContainerd, testImage } from '../../kubelet/test/support/containerd.ts'
import { createCriClient } from '@berth/cri'
import type { Pod } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { core, startCluster } from '../src/index.ts'

const why = missing()
if (why !== undefined) console.log(`skipped: ${why}`)

test.skipIf(why !== undefined)('pods run on a real node beside hollow ones, and leave nothing behind', async () => {
  const containerd = await startContainerd(await mkdtemp(join(tmpdir(), 'berth-testing-containerd-')))
  const cri = createCriClient(containerd.endpoint)
  try {
    await using cluster = await startCluster({ nodes: [{ kind: 'real', name: 'real', runtimeEndpoint: containerd.endpoint, labels: { real: 'yes' } }, { name: 'hollow' }], timeout: 90_000 })
    expect((await cluster.client.list(core.nodes)).items.map(({ metadata }) => metadata.name)).toEqual(['hollow-1', 'real'])
    const container = { name: 'c', image: testImage, command: ['/bin/sh', '-c', 'echo ahoy > /dev/termination-log; exit 3'] }
    await cluster.client.create(core.pods, { metadata: { name: 'p', namespace: 'default' }, spec: { nodeSelector: { real: 'yes' }, restartPolicy: 'Never', containers: [container] } })
    const { spec, status } = await cluster.waitFor<Pod>('pod/p', 'jsonpath={.status.phase}=Failed', { timeout: 90_000 })
    expect(spec.nodeName).toBe('real')
    expect(status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 3, message: 'ahoy\n' })
    await cluster.client.delete(core.pods, 'p', { namespace: 'default' })
    await cluster.waitFor('pod/p', 'delete', { timeout: 60_000 })
    await cluster.client.create(core.pods, { metadata: { name: 'left', namespace: 'default' }, spec: { nodeSelector: { real: 'yes' }, containers: [{ ...container, command: ['/bin/sleep', '3600'] }] } })
    await cluster.waitFor('pod/left', 'condition=Ready', { timeout: 90_000 })
    await cluster.stop()
    expect((await cri.listPodSandbox({})).items).toEqual([])
    expect((await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes('/berth-testing-node-'))).toEqual([])
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('berth-testing-node-'))).toEqual([])
  } finally {
    cri.close()
    await containerd.stop()
  }
})
