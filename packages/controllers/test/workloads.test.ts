import { apps, core, discovery } from '@berth/api'
import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
const namespace = 'default'

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.addNode('n1', { 'topology.kubernetes.io/zone': 'z1' })
})
afterAll(() => cluster.stop())

function deployment(name: string, spec: Partial<Deployment['spec']> = {}): Deployment {
  return {
    metadata: { name, namespace },
    spec: {
      replicas: 3, selector: { matchLabels: { app: name } },
      template: { metadata: { name: '', labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'nginx:1', ports: [{ name: 'http', containerPort: 8080 }] }] } },
      ...spec,
    },
  }
}

const setsOf = async (name: string): Promise<ReplicaSet[]> => (await cluster.client.list(apps.replicasets, { namespace, labelSelector: `app=${name}` })).items
const podsOf = async (name: string): Promise<Pod[]> => (await cluster.client.list(core.pods, { namespace, labelSelector: `app=${name}` })).items
const get = (name: string): Promise<Deployment> => cluster.client.get(apps.deployments, name, { namespace })
const setImage = (name: string, image: string): Promise<Deployment> => cluster.client.patch(apps.deployments, name, { type: 'strategic', body: { spec: { template: { spec: { containers: [{ name: 'web', image }] } } } } }, { namespace })
const condition = (d: Deployment, type: string): string | undefined => d.status?.conditions?.find((c) => c.type === type)?.reason
const complete = (d: Deployment): boolean => d.status?.observedGeneration === d.metadata.generation && d.status?.updatedReplicas === d.spec.replicas && d.status?.replicas === d.spec.replicas
  && d.status?.availableReplicas === d.spec.replicas && condition(d, 'Progressing') === 'NewReplicaSetAvailable'
const reasons = async (kind: string, name: string): Promise<string[]> => (await cluster.client.list(core.events, { namespace, fieldSelector: `involvedObject.kind=${kind},involvedObject.name=${name}` })).items.map((e) => `${e.reason}: ${e.message}`)

test('a Deployment becomes a ReplicaSet and its pods, and says that it is available', async () => {
  await cluster.client.create(apps.deployments, deployment('web'))
  const done = await eventually('web is complete', () => get('web'), complete)
  expect(done.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
  expect(done.status).toMatchObject({ replicas: 3, readyReplicas: 3, conditions: [{ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }, { type: 'Progressing', status: 'True' }] })
  const [set, ...others] = await setsOf('web')
  expect(others).toEqual([])
  const hash = set?.metadata.labels?.['pod-template-hash'] ?? ''
  expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
  expect(set?.metadata).toMatchObject({ name: `web-${hash}`, annotations: { 'deployment.kubernetes.io/desired-replicas': '3', 'deployment.kubernetes.io/max-replicas': '4' }, ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }] })
  const pods = await podsOf('web')
  expect(pods).toHaveLength(3)
  for (const pod of pods) expect(pod.metadata).toMatchObject({ labels: { 'pod-template-hash': hash }, ownerReferences: [{ kind: 'ReplicaSet', uid: set?.metadata.uid }] })
  await eventually('events are there', () => reasons('Deployment', 'web'), (all) => all.includes(`ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 3`))
  await eventually('pod events are there', () => reasons('ReplicaSet', `web-${hash}`), (all) => all.filter((e) => e.startsWith('SuccessfulCreate: Created pod: web-')).length === 3)
})

test('a new image rolls out without going below what must be available, and an undo brings the old revision back as a new one', async () => {
  await cluster.client.create(apps.deployments, deployment('roll', { replicas: 4 }))
  const first = await eventually('roll is complete', () => get('roll'), complete)
  let least = Infinity
  let most = 0
  const watching = new AbortController()
  const watched = (async () => {
    for await (const event of cluster.client.watch(apps.deployments, { namespace, fieldSelector: 'metadata.name=roll', resourceVersion: first.metadata.resourceVersion, signal: watching.signal })) {
      least = Math.min(least, event.object.status?.availableReplicas ?? 0)
      most = Math.max(most, event.object.status?.replicas ?? 0)
    }
  })()
  await setImage('roll', 'nginx:2')
  await eventually('revision 2 is complete', () => get('roll'), (d) => complete(d) && d.metadata.annotations?.['deployment.kubernetes.io/revision'] === '2')
  const sets = (await setsOf('roll')).toSorted((a, b) => Number(a.metadata.annotations?.['deployment.kubernetes.io/revision']) - Number(b.metadata.annotations?.['deployment.kubernetes.io/revision']))
  expect(sets.map((set) => [set.spec.template?.spec?.containers[0]?.image, set.spec.replicas])).toEqual([['nginx:1', 0], ['nginx:2', 4]])
  await setImage('roll', 'nginx:1')
  await eventually('revision 3 is complete', () => get('roll'), (d) => complete(d) && d.metadata.annotations?.['deployment.kubernetes.io/revision'] === '3')
  const back = (await setsOf('roll')).find((set) => set.metadata.uid === sets[0]?.metadata.uid)
  expect(back?.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3', 'deployment.kubernetes.io/revision-history': '1' })
  expect(await setsOf('roll')).toHaveLength(2)
  watching.abort()
  await watched
  expect(least).toBeGreaterThanOrEqual(3)
  expect(most).toBeLessThanOrEqual(5)
})

test('a rollout that does not get ready says so when its deadline has passed, and leaves the old pods', async () => {
  await cluster.client.create(apps.deployments, deployment('stuck', { progressDeadlineSeconds: 2, minReadySeconds: 0 }))
  await eventually('stuck is complete', () => get('stuck'), complete)
  const old = (await podsOf('stuck')).map((pod) => pod.metadata.name)
  cluster.broken.add('stuck-')
  await setImage('stuck', 'nginx:broken')
  const late = await eventually('the deadline is exceeded', () => get('stuck'), (d) => condition(d, 'Progressing') === 'ProgressDeadlineExceeded')
  expect(late.status?.conditions?.find((c) => c.type === 'Progressing')).toMatchObject({ status: 'False', message: expect.stringMatching(/^ReplicaSet "stuck-[a-z0-9]+" has timed out progressing\.$/) as string })
  const now = await podsOf('stuck')
  expect(now.filter((pod) => old.includes(pod.metadata.name))).toHaveLength(3)
  expect(now).toHaveLength(4)
  cluster.broken.delete('stuck-')
})

test('a paused Deployment does not roll out, but scales; resumed it goes on', async () => {
  await cluster.client.create(apps.deployments, deployment('pause'))
  await eventually('pause is complete', () => get('pause'), complete)
  await cluster.client.patch(apps.deployments, 'pause', { type: 'merge', body: { spec: { paused: true } } }, { namespace })
  await eventually('it says that it is paused', () => get('pause'), (d) => condition(d, 'Progressing') === 'DeploymentPaused')
  await setImage('pause', 'nginx:2')
  await cluster.client.patch(apps.deployments, 'pause', { type: 'merge', body: { spec: { replicas: 5 } } }, { namespace })
  await eventually('it has five pods', () => podsOf('pause'), (pods) => pods.length === 5)
  expect(await setsOf('pause')).toHaveLength(1)
  await cluster.client.patch(apps.deployments, 'pause', { type: 'merge', body: { spec: { paused: false } } }, { namespace })
  await eventually('it is complete', () => get('pause'), complete)
  expect((await podsOf('pause')).map((pod) => pod.spec.containers[0]?.image)).toEqual(Array(5).fill('nginx:2'))
})

test('Recreate ends every old pod before the first new one', async () => {
  await cluster.client.create(apps.deployments, deployment('re', { strategy: { type: 'Recreate' } }))
  const before = await eventually('re is complete', () => get('re'), complete)
  let mixed = false
  const watching = new AbortController()
  const images = new Map<string, string>()
  const watched = (async () => {
    for await (const { type, object } of cluster.client.watch(core.pods, { namespace, labelSelector: 'app=re', resourceVersion: before.metadata.resourceVersion, signal: watching.signal })) {
      if (type === 'DELETED') images.delete(object.metadata.name)
      else images.set(object.metadata.name, object.spec.containers[0]?.image ?? '')
      if (new Set(images.values()).size > 1) mixed = true
    }
  })()
  await setImage('re', 'nginx:2')
  await eventually('the new ones run', () => get('re'), (d) => complete(d) && d.metadata.annotations?.['deployment.kubernetes.io/revision'] === '2')
  watching.abort()
  await watched
  expect(mixed).toBe(false)
  expect((await podsOf('re')).every((pod) => pod.spec.containers[0]?.image === 'nginx:2')).toBe(true)
})

test('controllers that are ended in the middle of a rollout go on where they were, and make nothing twice', async () => {
  await cluster.client.create(apps.deployments, deployment('again', { replicas: 10 }))
  await eventually('again is complete', () => get('again'), complete)
  let most = 0
  const watching = new AbortController()
  const live = new Set((await podsOf('again')).map((pod) => pod.metadata.name))
  const { resourceVersion } = (await cluster.client.list(core.pods, { namespace })).metadata
  const watched = (async () => {
    for await (const { type, object } of cluster.client.watch(core.pods, { namespace, labelSelector: 'app=again', resourceVersion, signal: watching.signal })) {
      if (type === 'DELETED' || object.metadata.deletionTimestamp !== undefined) live.delete(object.metadata.name)
      else live.add(object.metadata.name)
      most = Math.max(most, live.size)
    }
  })()
  await setImage('again', 'nginx:2')
  for (let i = 0; i < 4; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 15))
    await cluster.restartControllers()
  }
  await eventually('revision 2 is complete', () => get('again'), (d) => complete(d) && d.metadata.annotations?.['deployment.kubernetes.io/revision'] === '2')
  watching.abort()
  await watched
  expect(most).toBeLessThanOrEqual(13)
  expect((await podsOf('again')).map((pod) => pod.spec.containers[0]?.image)).toEqual(Array(10).fill('nginx:2'))
  expect(await setsOf('again')).toHaveLength(2)
})

test('old ReplicaSets beyond the history limit go, the lowest revisions first', async () => {
  await cluster.client.create(apps.deployments, deployment('hist', { replicas: 1, revisionHistoryLimit: 1 }))
  for (const [i, image] of ['nginx:1', 'nginx:2', 'nginx:3', 'nginx:4'].entries()) {
    if (i > 0) await setImage('hist', image)
    await eventually(`revision ${i + 1} is complete`, () => get('hist'), (d) => complete(d) && d.metadata.annotations?.['deployment.kubernetes.io/revision'] === String(i + 1))
  }
  const left = await eventually('two are left', () => setsOf('hist'), (sets) => sets.length === 2)
  expect(left.map((set) => set.spec.template?.spec?.containers[0]?.image).toSorted()).toEqual(['nginx:3', 'nginx:4'])
})

test('a deleted pod is replaced, a pod that loses its label is let go and replaced, one that gains it is adopted and the surplus goes', async () => {
  await cluster.client.create(apps.deployments, deployment('keep', { replicas: 2 }))
  await eventually('keep is complete', () => get('keep'), complete)
  const [a, b] = await podsOf('keep')
  await cluster.client.delete(core.pods, a?.metadata.name ?? '', { namespace, gracePeriodSeconds: 0 })
  const replaced = await eventually('there are two again', () => podsOf('keep'), (pods) => pods.length === 2 && pods.every((pod) => pod.metadata.name !== a?.metadata.name))
  const other = replaced.find((pod) => pod.metadata.name !== b?.metadata.name)
  await cluster.client.patch(core.pods, other?.metadata.name ?? '', { type: 'merge', body: { metadata: { labels: { app: 'gone' } } } }, { namespace })
  const released = await eventually('it is released', () => cluster.client.get(core.pods, other?.metadata.name ?? '', { namespace }), (pod) => (pod.metadata.ownerReferences ?? []).length === 0)
  await eventually('there are two again', () => podsOf('keep'), (pods) => pods.length === 2)
  await cluster.client.patch(core.pods, released.metadata.name, { type: 'merge', body: { metadata: { labels: { app: 'keep' } } } }, { namespace })
  await eventually('the surplus is gone', () => podsOf('keep'), (pods) => pods.length === 2 && pods.every((pod) => pod.metadata.ownerReferences?.[0]?.kind === 'ReplicaSet'))
})

test('pods that the server refuses are told in the status and an event', async () => {
  await cluster.client.create(apps.replicasets, { metadata: { name: 'bad', namespace }, spec: { replicas: 1, selector: { matchLabels: { app: 'bad' } }, template: { metadata: { name: '', labels: { app: 'bad' } }, spec: { serviceAccountName: 'nobody', containers: [{ name: 'c', image: 'i' }] } } } })
  const set = await eventually('it says that it fails', () => cluster.client.get(apps.replicasets, 'bad', { namespace }), (rs) => (rs.status?.conditions ?? []).length > 0)
  expect(set.status?.conditions?.[0]).toMatchObject({ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: expect.stringMatching(/^pods ".*" is forbidden: error looking up service account default\/nobody: serviceaccount "nobody" not found$/) as string })
  await eventually('an event says it', () => reasons('ReplicaSet', 'bad'), (all) => all.some((e) => /^FailedCreate: Error creating: pods ".*" is forbidden: /.test(e)))
  await cluster.client.delete(apps.replicasets, 'bad', { namespace })
})

test('a Service has one slice with its ready pods, by named port; a pod that is not ready is there as not ready; without pods it is empty', async () => {
  await cluster.client.create(core.services, { metadata: { name: 'svc', namespace, labels: { team: 'a' } }, spec: { selector: { app: 'svc' }, ports: [{ name: 'web', port: 80, targetPort: 'http' }] } })
  const slices = async () => (await cluster.client.list(discovery.endpointslices, { namespace, labelSelector: 'kubernetes.io/service-name=svc' })).items
  const [empty] = await eventually('there is a placeholder', slices, (all) => all.length === 1)
  expect([empty?.endpoints ?? [], empty?.ports ?? []]).toEqual([[], []])
  await cluster.client.create(apps.deployments, deployment('svc', { replicas: 2 }))
  const [slice, ...more] = await eventually('two are ready', slices, (all) => all.length === 1 && all[0]?.endpoints?.filter((e) => e.conditions?.ready).length === 2)
  expect(more).toEqual([])
  expect(slice).toMatchObject({
    addressType: 'IPv4', ports: [{ name: 'web', port: 8080, protocol: 'TCP' }],
    metadata: { labels: { team: 'a', 'kubernetes.io/service-name': 'svc', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' }, ownerReferences: [{ kind: 'Service', name: 'svc', controller: true }] },
  })
  expect(slice?.endpoints?.[0]).toMatchObject({ conditions: { ready: true, serving: true, terminating: false }, nodeName: 'n1', zone: 'z1', targetRef: { kind: 'Pod', namespace } })
  const [pod] = await podsOf('svc')
  cluster.broken.add(pod?.metadata.name ?? '')
  const unready = (pod?.status?.conditions ?? []).map((c) => c.type === 'Ready' ? { ...c, status: 'False' as const } : c)
  await cluster.client.update(core.pods, { ...pod as Pod, status: { ...pod?.status, conditions: unready } }, { subresource: 'status' })
  await eventually('one is not ready', slices, (all) => all[0]?.endpoints?.filter((e) => e.conditions?.ready === false && e.conditions.serving === false).length === 1)
  await cluster.client.delete(core.services, 'svc', { namespace })
  await eventually('its slices are collected', slices, (all) => all.length === 0)
})
