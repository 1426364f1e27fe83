import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing, testImage } from './support/containerd.ts'
import { eventually, type Harness, isReady, startHarness } from './support/harness.ts'

const why = missing()
if (why) console.log(`skipped: the suite of static pods ${why}`)

describe.skipIf(why)('static pods', () => {
  let h: Harness
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'berth-kubelet-'))
    await mkdir(join(dir, 'manifests'))
    h = await startHarness(dir)
    await h.stopKubelet()
    await h.startKubelet({ staticPodPath: join(dir, 'manifests'), fileCheckFrequency: '1s' })
  })
  afterAll(async () => h?.stop())
  const manifest = (more = ''): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: fixed}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n  - name: c\n    image: ${testImage}\n    command: [sleep, "1000"]\n${more}`

  it('run from a manifest, show in the API, come back when their mirror is deleted, and go with the manifest', async () => {
    await writeFile(join(dir, 'manifests/fixed.yaml'), manifest())
    const pod = await h.until('fixed-node-1', 'Ready', isReady)
    expect(pod.metadata.annotations?.['kubernetes.io/config.source']).toBe('file')
    expect(pod.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Node', name: 'node-1', controller: true })
    const id = pod.status?.containerStatuses?.[0]?.containerID
    h.api.deletePod('default', 'fixed-node-1', 0)
    const again = await h.until('fixed-node-1', 'Ready again', (p) => isReady(p) && p.metadata.uid !== pod.metadata.uid)
    expect(again.status?.containerStatuses?.[0]?.containerID).toBe(id)
    await rm(join(dir, 'manifests/fixed.yaml'))
    await eventually('the mirror is gone', () => h.pod('fixed-node-1') === undefined)
    await eventually('the container is gone', async () => (await h.cri.listContainers({})).containers.length === 0)
  })

  it('are not made of a manifest that is wrong', async () => {
    await writeFile(join(dir, 'manifests/bad.yaml'), manifest('    bogus: 1\n'))
    await writeFile(join(dir, 'manifests/good.yaml'), manifest().replace('fixed', 'good'))
    await h.until('good-node-1', 'Ready', isReady)
    expect(h.pod('fixed-node-1')).toBeUndefined()
  })
})
