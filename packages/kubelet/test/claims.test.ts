import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PersistentVolume, PersistentVolumeClaim, Volume } from '@berth/api/types/core/v1'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from './support/containerd.ts'
import { eventually, type Harness, sh, startHarness } from './support/harness.ts'

const why = missing()
if (why) console.log(`skipped: the kubelet's suite on claims ${why}`)

describe.skipIf(why)('a kubelet and the volumes of claims', () => {
  let h: Harness
  beforeAll(async () => {
    h = await startHarness(await mkdtemp(join(tmpdir(), 'berth-kubelet-claims-')))
  })
  afterAll(async () => h?.stop())

  const data = (name: string): string => join(h.dir, 'data', name)
  const claim = (name: string, more: { volume?: string; phase?: 'Pending' | 'Bound'; owner?: string } = {}): void => {
    const object: PersistentVolumeClaim = {
      metadata: { name, namespace: 'default', uid: `uid-${name}`, ...(more.owner ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: more.owner, controller: true }] } : {}) },
      spec: { ...(more.volume ? { volumeName: more.volume } : {}) }, status: { phase: more.phase ?? 'Bound' },
    }
    h.api.put(`/api/v1/namespaces/default/persistentvolumeclaims/${name}`, object)
  }
  const volume = (name: string, of: string, spec: PersistentVolume['spec']): void => {
    h.api.put(`/api/v1/persistentvolumes/${name}`, { metadata: { name }, spec: { claimRef: { name: of, namespace: 'default', uid: `uid-${of}` }, ...spec } } satisfies PersistentVolume)
  }
  const uses = (claimName: string, readOnly = false): Volume => ({ name: 'data', persistentVolumeClaim: { claimName, readOnly } })
  const volumeMounts = [{ name: 'data', mountPath: '/data' }]
  const ends = (name: string): Promise<unknown> => h.until(name, 'over', (p) => p.status?.phase === 'Succeeded' || p.status?.phase === 'Failed')
  const phase = (name: string): string | undefined => h.pod(name)?.status?.phase

  it.concurrent('mounts a local volume, gives it to the group, and leaves the data when the pod goes', async () => {
    await mkdir(data('local'), { recursive: true })
    claim('local', { volume: 'pv-local' })
    volume('pv-local', 'local', { local: { path: data('local') } })
    h.create('writer', { restartPolicy: 'Never', securityContext: { fsGroup: 2345 }, volumes: [uses('local')], containers: [sh('c', 'echo kept > /data/file', { volumeMounts })] })
    await ends('writer')
    expect(phase('writer')).toBe('Succeeded')
    const uid = h.pod('writer')?.metadata.uid ?? ''
    await h.remove('writer')
    await eventually('nothing is left of the pod', async () => !(await readdir(join(h.dir, 'root/pods'))).includes(uid))
    expect(await readFile(join(data('local'), 'file'), 'utf8')).toBe('kept\n')
    expect((await stat(data('local'))).gid).toBe(2345)
    h.create('reader', { restartPolicy: 'Never', volumes: [uses('local', true)], containers: [sh('c', 'test "$(cat /data/file)" = kept && ! touch /data/other', { volumeMounts })] })
    await ends('reader')
    expect(phase('reader')).toBe('Succeeded')
    expect(existsSync(join(data('local'), 'other'))).toBe(false)
    await h.remove('reader')
  })

  it.concurrent('mounts a hostPath volume, made where its type says so', async () => {
    claim('host', { volume: 'pv-host' })
    volume('pv-host', 'host', { hostPath: { path: data('host'), type: 'DirectoryOrCreate' } })
    h.create('host', { restartPolicy: 'Never', volumes: [uses('host')], containers: [sh('c', 'echo here > /data/file', { volumeMounts })] })
    await ends('host')
    expect(await readFile(join(data('host'), 'file'), 'utf8')).toBe('here\n')
    await h.remove('host')
  })

  it.concurrent('waits for a claim to be bound, says so, and goes on when it is', async () => {
    claim('slow', { phase: 'Pending' })
    h.create('slow', { restartPolicy: 'Never', volumes: [uses('slow')], containers: [sh('c', 'true', { volumeMounts })] })
    const message = 'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[data]: error processing PVC default/slow: PVC is not bound'
    await eventually('it says what it waits for', () => Promise.resolve(h.events('slow').some((e) => e.reason === 'FailedMount' && e.message === message)))
    volume('pv-slow', 'slow', { hostPath: { path: data('slow'), type: 'DirectoryOrCreate' } })
    claim('slow', { volume: 'pv-slow' })
    await ends('slow')
    expect(phase('slow')).toBe('Succeeded')
    await h.remove('slow')
  })

  it.concurrent("takes an ephemeral volume's claim only where it is the pod's own", async () => {
    volume('pv-eph', 'eph-data', { hostPath: { path: data('eph'), type: 'DirectoryOrCreate' } })
    claim('eph-data', { volume: 'pv-eph', owner: 'somebody-else' })
    h.create('eph', { restartPolicy: 'Never', volumes: [{ name: 'data', ephemeral: { volumeClaimTemplate: { spec: {} } } }], containers: [sh('c', 'true', { volumeMounts })] })
    await eventually('it says whose it is not', () => Promise.resolve(h.events('eph').some((e) => e.message?.endsWith('PVC default/eph-data was not created for pod default/eph (pod is not owner)') === true)))
    claim('eph-data', { volume: 'pv-eph', owner: h.pod('eph')?.metadata.uid ?? '' })
    await ends('eph')
    expect(phase('eph')).toBe('Succeeded')
    await h.remove('eph')
  })

  it.concurrent.each<[string, PersistentVolume['spec'], string]>([
    ['is-missing', { local: { path: '/nowhere/at/all' } }, 'MountVolume.SetUp failed for volume "data" : MountVolume.NewMounter initialization failed for volume "pv-is-missing" : path "/nowhere/at/all" does not exist'],
    ['is-elsewhere', { local: { path: '/tmp' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['other'] }] }] } } }, 'MountVolume.SetUp failed for volume "data" : MountVolume.NodeAffinity check failed for volume "pv-is-elsewhere" : no matching NodeSelectorTerms'],
    ['is-unserved', { csi: { driver: 'd', volumeHandle: 'h' } }, 'MountVolume.SetUp failed for volume "data" : persistent volumes of type csi are not served by this kubelet'],
    ['is-a-device', { local: { path: '/dev/null' }, volumeMode: 'Block' }, 'MountVolume.SetUp failed for volume "data" : volume data has volumeMode Block, but is specified in volumeMounts'],
  ])('says why it cannot mount what %s', async (name, spec, message) => {
    claim(name, { volume: `pv-${name}` })
    volume(`pv-${name}`, name, spec)
    h.create(name, { volumes: [uses(name)], containers: [sh('c', 'true', { volumeMounts })] })
    await eventually('it says why', () => Promise.resolve(h.events(name).some((e) => e.reason === 'FailedMount' && e.message === message)))
    await h.remove(name, 0)
  })
})
