import { core, storage } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { createInformers, isConflict, isNotFound } from '@berth/kube'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
const stopping = new AbortController()
/** Claims of these names get no volume: their provisioner gives the node back. */
const refusing = new Set<string>()
const asked: string[] = []

beforeAll(async () => {
  cluster = await startCluster()
  await followClaims()
  for (const [name, provisioner] of [['manual', 'kubernetes.io/no-provisioner'], ['made', 'p.example.com']] as const) {
    await cluster.client.create(storage.storageclasses, { metadata: { name }, provisioner, volumeBindingMode: 'WaitForFirstConsumer' })
  }
}, 30_000)
afterEach(async () => {
  await cluster.clear()
  // Nobody takes off here what protects claims and volumes in use.
  const finalizers = { type: 'merge', body: { metadata: { finalizers: null } } } as const
  for (const { metadata } of (await cluster.client.list(core.persistentvolumeclaims, { namespace: 'default' })).items) await cluster.client.patch(core.persistentvolumeclaims, metadata.name, finalizers, { namespace: 'default' })
  for (const { metadata } of (await cluster.client.list(core.persistentvolumes)).items) await cluster.client.patch(core.persistentvolumes, metadata.name, finalizers)
  await cluster.client.deleteCollection(core.persistentvolumeclaims, { namespace: 'default' })
  await cluster.client.deleteCollection(core.persistentvolumes)
  await cluster.client.deleteCollection(storage.csinodes)
  refusing.clear()
  asked.length = 0
})
afterAll(async () => {
  stopping.abort()
  await cluster.stop()
})

/** A binder and a provisioner of a few lines: what is bound to each other says so, and what is asked for is made. */
async function followClaims(): Promise<void> {
  const { client } = cluster
  const informers = createInformers(client)
  const volumes = informers.for(core.persistentvolumes)
  const bind = async (name: string, volumeName: string): Promise<void> => {
    await client.patch(core.persistentvolumeclaims, name, { type: 'merge', body: { metadata: { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }, spec: { volumeName } } }, { namespace: 'default' })
    await client.patch(core.persistentvolumeclaims, name, { type: 'merge', body: { status: { phase: 'Bound' } } }, { namespace: 'default', subresource: 'status' })
  }
  const onVolume = async ({ metadata, spec: { claimRef } }: PersistentVolume): Promise<void> => {
    if (claimRef?.uid) await bind(claimRef.name ?? '', metadata.name)
  }
  const onClaim = async ({ metadata, spec }: PersistentVolumeClaim): Promise<void> => {
    const node = metadata.annotations?.['volume.kubernetes.io/selected-node']
    if (node === undefined || spec.volumeName) return
    asked.push(node)
    if (refusing.delete(metadata.name)) {
      await client.patch(core.persistentvolumeclaims, metadata.name, { type: 'merge', body: { metadata: { annotations: { 'volume.kubernetes.io/selected-node': null } } } }, { namespace: 'default' })
      return
    }
    const affinity = { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values: [node] }] }] } }
    await client.create(core.persistentvolumes, { ...volumeOf(`made-${metadata.uid ?? ''}`, 'made'), spec: { ...volumeOf('x', 'made').spec, nodeAffinity: affinity, claimRef: { kind: 'PersistentVolumeClaim', namespace: 'default', name: metadata.name, uid: metadata.uid ?? '' } } })
  }
  const once = (work: Promise<void>): void => void work.catch((error: unknown) => {
    if (!isConflict(error) && !isNotFound(error)) throw error
  })
  volumes.on({ added: (volume) => once(onVolume(volume)), updated: (_old, volume) => once(onVolume(volume)) })
  informers.for(core.persistentvolumeclaims).on({ added: (claim) => once(onClaim(claim)), updated: (_old, claim) => once(onClaim(claim)) })
  informers.start(stopping.signal)
  await informers.whenSynced()
}

const claimOf = (name: string, storageClassName: string, accessMode: 'ReadWriteOnce' | 'ReadWriteOncePod' = 'ReadWriteOnce'): PersistentVolumeClaim => ({
  metadata: { name, namespace: 'default' }, spec: { accessModes: [accessMode], storageClassName, resources: { requests: { storage: '1Gi' } } },
})
const volumeOf = (name: string, storageClassName: string, node?: string, accessMode: 'ReadWriteOnce' | 'ReadWriteOncePod' = 'ReadWriteOnce'): PersistentVolume => ({
  metadata: { name },
  spec: {
    accessModes: [accessMode], capacity: { storage: '2Gi' }, storageClassName, local: { path: '/x' }, persistentVolumeReclaimPolicy: 'Retain',
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: node === undefined ? 'Exists' : 'In', ...(node === undefined ? {} : { values: [node] }) }] }] } },
  },
})
const available = async (volume: PersistentVolume): Promise<void> => {
  await cluster.client.create(core.persistentvolumes, volume)
  await cluster.client.patch(core.persistentvolumes, volume.metadata.name, { type: 'merge', body: { status: { phase: 'Available' } } }, { subresource: 'status' })
}
const using = (...claims: string[]): Partial<Pod['spec']> => ({ volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) })
const onNode = (name: string): Promise<Pod> => eventually(`${name} runs on a node`, () => cluster.pod(name), (pod) => pod.status?.phase === 'Running')
const refused = (name: string, text: string): Promise<Pod> => eventually(`${name} waits`, () => cluster.pod(name), (pod) => pod.status?.conditions?.some(({ reason, message }) => reason === 'Unschedulable' && message?.includes(text)) === true)

test('a pod goes where a volume for its claim is, once that is bound to it', async () => {
  for (const name of ['a', 'b', 'c']) await cluster.addNode(name, { cpu: '4', memory: '1Gi' })
  await available(volumeOf('on-b', 'manual', 'b'))
  await cluster.client.create(core.persistentvolumeclaims, claimOf('data', 'manual'))
  await cluster.createPod('p', '1', using('data'))
  expect((await onNode('p')).spec.nodeName).toBe('b')
  const bound = await cluster.client.get(core.persistentvolumes, 'on-b')
  expect([bound.spec.claimRef?.name, bound.metadata.annotations]).toEqual(['data', { 'pv.kubernetes.io/bound-by-controller': 'yes' }])
})

test('a pod waits for its claim, for a volume and for its class, and is helped by each', async () => {
  await cluster.addNode('a', { cpu: '4', memory: '1Gi' })
  await cluster.createPod('p', '1', using('data'))
  await refused('p', 'persistentvolumeclaim "data" not found')
  await cluster.client.create(core.persistentvolumeclaims, claimOf('data', 'manual'))
  await refused('p', "1 node(s) didn't find available persistent volumes to bind")
  await available(volumeOf('anywhere', 'manual'))
  expect((await onNode('p')).spec.nodeName).toBe('a')
})

test('two pods do not get the same volume', async () => {
  await cluster.addNode('a', { cpu: '4', memory: '1Gi' })
  await available(volumeOf('one', 'manual'))
  await available(volumeOf('two', 'manual'))
  const names = ['p', 'q', 'r']
  await Promise.all(names.map((name) => cluster.client.create(core.persistentvolumeclaims, claimOf(name, 'manual'))))
  await Promise.all(names.map((name) => cluster.createPod(name, '1', using(name))))
  await eventually('two of three run', () => Promise.all(names.map((name) => cluster.pod(name))), (pods) => pods.filter((pod) => pod.status?.phase === 'Running').length === 2)
  const claims = (await cluster.client.list(core.persistentvolumes)).items.map(({ spec }) => spec.claimRef?.name)
  expect(new Set(claims).size).toBe(2)
})

test('a volume is made on the node that was chosen, and where it cannot be the pod is placed anew', async () => {
  await cluster.addNode('a', { cpu: '4', memory: '1Gi' })
  refusing.add('data')
  await cluster.client.create(core.persistentvolumeclaims, claimOf('data', 'made'))
  await cluster.createPod('p', '1', using('data'))
  expect((await onNode('p')).spec.nodeName).toBe('a')
  expect(asked.slice(0, 2)).toEqual(['a', 'a'])
})

test('a claim for one pod is taken from a pod of lower priority', async () => {
  await cluster.addNode('a', { cpu: '4', memory: '1Gi' })
  await available(volumeOf('one', 'manual', undefined, 'ReadWriteOncePod'))
  await cluster.client.create(core.persistentvolumeclaims, claimOf('data', 'manual', 'ReadWriteOncePod'))
  await cluster.createPod('low', '1', { ...using('data'), priorityClassName: 'low' })
  await onNode('low')
  await cluster.createPod('same', '1', { ...using('data'), priorityClassName: 'low' })
  await refused('same', 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode')
  await cluster.createPod('high', '1', { ...using('data'), priorityClassName: 'high' })
  await onNode('high')
  expect((await cluster.client.list(core.pods, { namespace: 'default' })).items.map((pod) => pod.metadata.name).sort()).toEqual(['high', 'same'])
})

test('a node takes no more volumes than its driver can attach', async () => {
  await cluster.addNode('a', { cpu: '4', memory: '1Gi' })
  await cluster.client.create(storage.csinodes, { metadata: { name: 'a' }, spec: { drivers: [{ name: 'p.example.com', nodeID: 'a', allocatable: { count: 1 } }] } })
  await cluster.client.create(core.persistentvolumeclaims, claimOf('data', 'made'))
  await cluster.client.create(core.persistentvolumeclaims, claimOf('more', 'made'))
  await eventually('the scheduler has heard of the limit', async () => {
    await cluster.createPod('p', '1', using('data', 'more')).catch(() => {})
    return cluster.pod('p')
  }, (pod) => pod.status?.conditions?.some(({ message }) => message?.includes('1 node(s) exceed max volume count')) === true)
  await cluster.client.patch(storage.csinodes, 'a', { type: 'merge', body: { spec: { drivers: [{ name: 'p.example.com', nodeID: 'a', allocatable: { count: 2 } }] } } })
  expect((await onNode('p')).spec.nodeName).toBe('a')
})
