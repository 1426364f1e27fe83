import { core, policy, storage } from '@berth/api'
import type { Event, PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { StorageClass } from '@berth/api/types/storage/v1'
import { isNotFound, isTooManyRequests, type ApiError } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.addNode('n1')
  await cluster.client.create(storage.storageclasses, classOf('manual', 'Immediate', 'kubernetes.io/no-provisioner'))
  await cluster.client.create(storage.storageclasses, classOf('late', 'WaitForFirstConsumer', 'x.example.com'))
}, 30_000)
afterAll(() => cluster.stop())

const classOf = (name: string, volumeBindingMode: 'Immediate' | 'WaitForFirstConsumer', provisioner: string): StorageClass => ({ metadata: { name }, provisioner, volumeBindingMode })
const claimOf = (name: string, spec: Partial<PersistentVolumeClaim['spec']> = {}): PersistentVolumeClaim => ({
  metadata: { name, namespace: 'default' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'manual', ...spec },
})
const volumeOf = (name: string, spec: Partial<PersistentVolume['spec']> = {}): PersistentVolume => ({
  metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' }, storageClassName: 'manual', persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: `/tmp/${name}` }, ...spec },
})
const podOf = (name: string, more: Partial<Pod['spec']> = {}, labels: Record<string, string> = {}): Pod => ({ metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'x' }], ...more } })

const claim = (name: string): Promise<PersistentVolumeClaim> => cluster.client.get(core.persistentvolumeclaims, name, { namespace: 'default' })
const volume = (name: string): Promise<PersistentVolume> => cluster.client.get(core.persistentvolumes, name)
const gone = async (ask: () => Promise<unknown>): Promise<boolean> => ask().then(() => false, (error: unknown) => isNotFound(error))
const eventsOf = async (name: string): Promise<Event[]> => (await cluster.client.list(core.events, { namespace: 'default', fieldSelector: `involvedObject.name=${name}` })).items

test('a claim gets the smallest volume that fits, both know it, and what it leaves is Released, not lost', async () => {
  await cluster.client.create(core.persistentvolumes, volumeOf('large', { capacity: { storage: '9Gi' } }))
  await cluster.client.create(core.persistentvolumes, volumeOf('small'))
  await eventually('both are free', () => Promise.all([volume('large'), volume('small')]), (all) => all.every((each) => each.status?.phase === 'Available'))
  await cluster.client.create(core.persistentvolumeclaims, claimOf('c1'))
  const bound = await eventually('the claim is bound', () => claim('c1'), (each) => each.status?.phase === 'Bound')
  expect([bound.spec.volumeName, bound.status?.capacity, bound.metadata.annotations]).toEqual(['small', { storage: '2Gi' }, { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' }])
  const taken = await volume('small')
  expect([taken.status?.phase, taken.spec.claimRef?.name, taken.spec.claimRef?.uid]).toEqual(['Bound', 'c1', bound.metadata.uid])
  await cluster.client.delete(core.persistentvolumeclaims, 'c1', { namespace: 'default' })
  await eventually('the volume is released', () => volume('small'), (each) => each.status?.phase === 'Released')
  await cluster.client.delete(core.persistentvolumes, 'small')
  await eventually('the volume has gone', () => gone(() => volume('small')), Boolean)
})

test('claims and volumes that are bound while the controllers come and go end up in pairs', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `many-${i}`)
  await Promise.all(names.map((name) => cluster.client.create(core.persistentvolumes, volumeOf(name, { storageClassName: 'many' }))))
  const claims = names.map((name) => cluster.client.create(core.persistentvolumeclaims, claimOf(name, { storageClassName: 'many' })))
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 30))
    await cluster.restartControllers()
  }
  await Promise.all(claims)
  const bound = await eventually('all are bound', async () => (await Promise.all(names.map(claim))), (all) => all.every(({ status }) => status?.phase === 'Bound'))
  expect(new Set(bound.map(({ spec }) => spec.volumeName)).size).toBe(30)
  const taken = await eventually('the volumes say so, too', () => Promise.all(names.map(volume)), (all) => all.every(({ status }) => status?.phase === 'Bound'))
  const claimed = new Map(taken.map(({ metadata, spec }) => [spec.claimRef?.name, metadata.name]))
  for (const { metadata, spec } of bound) expect(claimed.get(metadata.name)).toBe(spec.volumeName)
})

test('a volume that is bound is kept until its claim goes, and a claim until its pod goes', async () => {
  await cluster.client.create(core.persistentvolumes, volumeOf('kept', { storageClassName: 'kept' }))
  await cluster.client.create(core.persistentvolumeclaims, claimOf('c2', { storageClassName: 'kept' }))
  await eventually('the claim is bound', () => claim('c2'), (each) => each.status?.phase === 'Bound')
  await cluster.client.create(core.pods, podOf('user', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c2' } }] }))
  await eventually('the pod runs', () => cluster.client.get(core.pods, 'user', { namespace: 'default' }), (pod) => pod.status?.phase === 'Running')
  await cluster.client.delete(core.persistentvolumes, 'kept')
  await cluster.client.delete(core.persistentvolumeclaims, 'c2', { namespace: 'default' })
  expect([(await claim('c2')).metadata.finalizers, (await volume('kept')).metadata.finalizers]).toEqual([['kubernetes.io/pvc-protection'], ['kubernetes.io/pv-protection']])
  await cluster.client.delete(core.pods, 'user', { namespace: 'default' })
  await eventually('all have gone', async () => await gone(() => claim('c2')) && gone(() => volume('kept')), Boolean)
})

test('a late claim waits for its pod, and is lost when its volume goes', async () => {
  await cluster.client.create(core.persistentvolumes, volumeOf('reserved', { storageClassName: 'late' }))
  await cluster.client.create(core.persistentvolumeclaims, claimOf('c3', { storageClassName: 'late' }))
  await eventually('it says what it waits for', () => eventsOf('c3'), (events) => events.some(({ reason, message }) => reason === 'WaitForFirstConsumer' && message === 'waiting for first consumer to be created before binding'))
  const { metadata } = await claim('c3')
  // What the scheduler does.
  await cluster.client.patch(core.persistentvolumes, 'reserved', { type: 'merge', body: { spec: { claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name: 'c3', namespace: 'default', uid: metadata.uid } } } })
  await eventually('the claim is bound', () => claim('c3'), (each) => each.status?.phase === 'Bound')
  await cluster.client.patch(core.persistentvolumes, 'reserved', { type: 'merge', body: { metadata: { finalizers: null } } })
  await cluster.client.delete(core.persistentvolumes, 'reserved')
  await eventually('its volume has gone, or its finalizer is taken off once more', async () => {
    if (await gone(() => volume('reserved'))) return true
    await cluster.client.patch(core.persistentvolumes, 'reserved', { type: 'merge', body: { metadata: { finalizers: null } } }).catch(() => {})
    return false
  }, Boolean)
  await eventually('the claim is lost', () => claim('c3'), (each) => each.status?.phase === 'Lost')
})

test('a claim without a word of a class gets the default one, and its provisioner is told', async () => {
  await cluster.client.create(core.persistentvolumeclaims, { ...claimOf('c4'), spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
  await eventually('it says that there is none', () => eventsOf('c4'), (events) => events.some(({ reason }) => reason === 'FailedBinding'))
  await cluster.client.create(storage.storageclasses, { ...classOf('usual', 'Immediate', 'y.example.com'), metadata: { name: 'usual', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })
  const asked = await eventually('the provisioner is told', () => claim('c4'), (each) => each.metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] === 'y.example.com')
  expect(asked.spec.storageClassName).toBe('usual')
  await cluster.client.delete(storage.storageclasses, 'usual')
})

test("an ephemeral volume's claim is made for its pod and goes with it", async () => {
  await cluster.client.create(core.pods, podOf('scratch', { volumes: [{ name: 'tmp', ephemeral: { volumeClaimTemplate: { metadata: { name: '', labels: { of: 'scratch' } }, spec: claimOf('x').spec } } }] }))
  const made = await eventually('its claim is made', () => claim('scratch-tmp').catch(() => undefined), (each) => each !== undefined)
  expect([made?.metadata.labels, made?.metadata.ownerReferences?.map(({ kind, name, controller }) => [kind, name, controller])]).toEqual([{ of: 'scratch' }, [['Pod', 'scratch', true]]])
  await cluster.client.delete(core.pods, 'scratch', { namespace: 'default' })
  await eventually('its claim has gone', () => gone(() => claim('scratch-tmp')), Boolean)
})

test('a budget counts its pods, and evictions respect it', async () => {
  const { client } = cluster
  for (const name of ['b1', 'b2', 'b3']) await client.create(core.pods, podOf(name, {}, { app: 'budget' }))
  await client.create(policy.poddisruptionbudgets, { metadata: { name: 'two', namespace: 'default' }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'budget' } } } })
  const budget = (): Promise<{ status?: { disruptionsAllowed?: number; currentHealthy?: number } }> => client.get(policy.poddisruptionbudgets, 'two', { namespace: 'default' })
  await eventually('one may go', budget, ({ status }) => status?.disruptionsAllowed === 1 && status.currentHealthy === 3)
  const evict = (name: string): Promise<unknown> => client.createSubresource(core.pods, name, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } }, { namespace: 'default' })
  await evict('b1')
  const refused = await evict('b2').catch((error: unknown) => error)
  expect(isTooManyRequests(refused)).toBe(true)
  const { status } = refused as ApiError
  expect([status.message, status.details?.causes?.[0]?.reason]).toEqual(["Cannot evict pod as it would violate the pod's disruption budget.", 'DisruptionBudget'])
  await eventually('the evicted one has gone', () => gone(() => client.get(core.pods, 'b1', { namespace: 'default' })), Boolean)
  await eventually('none may go', budget, (each) => each.status?.disruptionsAllowed === 0 && each.status.currentHealthy === 2)
  expect(await evict('b2').catch((error: ApiError) => error.status.details?.causes?.[0]?.message)).toBe('The disruption budget two needs 2 healthy pods and has 2 currently')
  await client.patch(policy.poddisruptionbudgets, 'two', { type: 'merge', body: { spec: { minAvailable: null, maxUnavailable: '100%' } } }, { namespace: 'default' })
  await eventually('it says that nobody manages its pods', () => eventsOf('two'), (events) => events.some(({ reason, message }) => reason === 'UnmanagedPods' && message?.includes('{MatchLabels:map[string]string{app: budget,}') === true))
})

test("a driver's volume is attached to the node of its pod, and detached after it", async () => {
  const { client } = cluster
  await client.patch(core.nodes, 'n1', { type: 'merge', body: { metadata: { annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' } } } })
  await client.create(core.persistentvolumes, volumeOf('disk', { storageClassName: 'disk', csi: { driver: 'disk.example.com', volumeHandle: 'h1' }, hostPath: undefined } as never))
  await client.create(core.persistentvolumeclaims, claimOf('c5', { storageClassName: 'disk' }))
  await eventually('the claim is bound', () => claim('c5'), (each) => each.status?.phase === 'Bound')
  await client.create(core.pods, podOf('attached', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c5' } }] }))
  const [made] = (await eventually('an attachment is asked for', () => client.list(storage.volumeattachments), ({ items }) => items.length === 1)).items
  expect(made?.spec).toEqual({ attacher: 'disk.example.com', nodeName: 'n1', source: { persistentVolumeName: 'disk' } })
  const name = made?.metadata.name ?? ''
  // What the driver's attacher does.
  await client.patch(storage.volumeattachments, name, { type: 'merge', body: { status: { attached: true } } }, { subresource: 'status' })
  const attached = (): Promise<unknown> => client.get(core.nodes, 'n1').then((node) => node.status?.volumesAttached?.map((each) => each.name))
  await eventually('the node is told', attached, (names) => JSON.stringify(names) === '["kubernetes.io/csi/disk.example.com^h1"]')
  await eventually('the pod is told', () => eventsOf('attached'), (events) => events.some(({ reason, message }) => reason === 'SuccessfulAttachVolume' && message === 'AttachVolume.Attach succeeded for volume "disk" '))
  await client.delete(core.pods, 'attached', { namespace: 'default' })
  await eventually('the attachment has gone', () => client.list(storage.volumeattachments), ({ items }) => items.length === 0)
  expect(await attached()).toBeUndefined()
})
