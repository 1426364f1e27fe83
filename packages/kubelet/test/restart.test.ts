import { existsSync } from 'node:fs'
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from './support/containerd.ts'
import { eventually, type Harness, idle, isReady, sh, startHarness, statusOf } from './support/harness.ts'

const why = missing()
if (why) console.log(`skipped: the kubelet's suite of restarts ${why}`)

describe.skipIf(why)('a kubelet that was killed', () => {
  let h: Harness
  beforeAll(async () => {
    h = await startHarness(await mkdtemp(join(tmpdir(), 'berth-kubelet-')))
  })
  afterAll(async () => h?.stop())

  it('finds its containers again and restarts none of them', async () => {
    h.create('stays', { containers: [sh('c', idle, { readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 } })] })
    const before = await h.until('stays', 'Ready', isReady)
    await h.stopKubelet()
    const version = before.metadata.resourceVersion
    await h.startKubelet()
    h.create('after', { containers: [sh('c', idle)] })
    await h.until('after', 'Ready', isReady)
    const now = h.pod('stays')
    expect(statusOf(now ?? before, 'c')).toMatchObject({ containerID: statusOf(before, 'c')?.containerID, restartCount: 0, ready: true })
    // Nothing had changed, so nothing was written: readiness did not flap.
    expect(now?.metadata.resourceVersion).toBe(version)
    await h.remove('after')
    await h.remove('stays')
  })

  it('starts pods again whose sandboxes are gone, as after a reboot, and keeps the restart count', async () => {
    h.create('reboot', { containers: [sh('c', idle)] })
    const before = await h.until('reboot', 'Ready', isReady)
    await h.stopKubelet()
    const uid = before.metadata.uid ?? ''
    const { items } = await h.cri.listPodSandbox({ filter: { labelSelector: { 'io.kubernetes.pod.uid': uid } } })
    for (const s of items) {
      await h.cri.stopPodSandbox({ podSandboxId: s.id })
      await h.cri.removePodSandbox({ podSandboxId: s.id })
    }
    await h.startKubelet()
    const now = await h.until('reboot', 'restarted once', (p) => isReady(p) && statusOf(p, 'c')?.restartCount === 1)
    expect(statusOf(now, 'c')?.containerID).not.toBe(statusOf(before, 'c')?.containerID)
    expect(statusOf(now, 'c')?.lastState?.terminated?.reason).toBe('ContainerStatusUnknown')
    await h.remove('reboot')
  })

  it('makes another sandbox when the old one dies, and says so', async () => {
    h.create('sandbox', { containers: [sh('c', idle)] })
    const before = await h.until('sandbox', 'Ready', isReady)
    const { items } = await h.cri.listPodSandbox({ filter: { labelSelector: { 'io.kubernetes.pod.uid': before.metadata.uid ?? '' } } })
    for (const s of items) await h.cri.stopPodSandbox({ podSandboxId: s.id })
    const now = await h.until('sandbox', 'Ready again', (p) => isReady(p) && (statusOf(p, 'c')?.restartCount ?? 0) >= 1)
    expect(statusOf(now, 'c')?.containerID).not.toBe(statusOf(before, 'c')?.containerID)
    expect(h.events('sandbox').map((e) => e.reason)).toContain('SandboxChanged')
    await h.remove('sandbox')
  })

  it('cleans up pods that were deleted while it was down', async () => {
    h.create('lost', { containers: [sh('c', idle, { volumeMounts: [{ name: 's', mountPath: '/s' }] })], volumes: [{ name: 's', emptyDir: { medium: 'Memory' } }] })
    const pod = await h.until('lost', 'Ready', isReady)
    await h.stopKubelet()
    h.api.deletePod('default', 'lost', 0)
    await h.startKubelet()
    const uid = pod.metadata.uid ?? ''
    await eventually('containers, volumes, cgroup and logs are gone', async () => {
      const left = [...(await readdir(join(h.dir, 'root/pods'))), ...(await readdir(join(h.dir, 'logs')))].filter((n) => n.includes(uid))
      const { containers } = await h.cri.listContainers({ filter: { labelSelector: { 'io.kubernetes.pod.uid': uid } } })
      return left.length === 0 && containers.length === 0 && !existsSync(`/sys/fs/cgroup/cpu/berth-kubelet-test/kubepods/besteffort/pod${uid}`)
    })
  })

  it('finishes a deletion that was asked for while it was down', async () => {
    h.create('leaving', { containers: [sh('c', idle)] })
    await h.until('leaving', 'Ready', isReady)
    await h.stopKubelet()
    h.api.deletePod('default', 'leaving', 2)
    await h.startKubelet()
    await eventually('the object is gone', () => h.pod('leaving') === undefined)
  })
})
