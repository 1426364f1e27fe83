// Pods with claims on a real API server: our controller makes the claims, our scheduler gives them their devices.
import { core, resource } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { Device, ResourceClaim } from '@berth/api/types/resource/v1'
import { startControllers } from '@berth/controllers'
import { createClient, createInformers, isNotFound, silentLogger, type RunningPart } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

const namespace = 'default'
const driver = 'gpu.example.com'
const stopping = new AbortController()
let cluster: TestCluster
let controllers: RunningPart

beforeAll(async () => {
  cluster = await startCluster()
  const client = createClient(cluster.loopback, { fieldManager: 'kube-controller-manager' })
  controllers = await startControllers({ client, informers: createInformers(client), logger: silentLogger(), signal: stopping.signal, rootCa: '', clusterCidr: '10.244.0.0/16', controllers: ['resourceclaim-controller', 'garbage-collector-controller'] })
  for (const node of ['a', 'b']) await cluster.addNode(node, { cpu: '4', memory: '8Gi' })
  await cluster.client.create(resource.deviceclasses, { metadata: { name: 'gpu' }, spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] } })
  await publish('a', [gpu('gpu-0', 'small'), gpu('gpu-1', 'small')])
  await publish('b', [gpu('gpu-0', 'large')])
}, 30_000)

afterAll(async () => {
  await controllers.stop()
  stopping.abort()
  await cluster.stop()
})

const memory: Record<string, string> = { large: '80Gi', small: '24Gi', tiny: '8Gi' }
const gpu = (name: string, size: string): Device => ({ name, attributes: { size: { string: size } }, capacity: { memory: { value: memory[size] ?? '0' } } })

async function publish(node: string, devices: Device[]): Promise<void> {
  await cluster.client.create(resource.resourceslices, { metadata: { name: `${node}-gpus` }, spec: { driver, nodeName: node, pool: { name: node, generation: 1, resourceSliceCount: 1 }, devices } })
}

const template = (name: string, expression: string): Promise<unknown> => cluster.client.create(resource.resourceclaimtemplates, {
  metadata: { name, namespace },
  spec: { metadata: { name: '', labels: { from: name } }, spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu', selectors: [{ cel: { expression } }] } }] } } },
})

const podOf = (name: string, claim: { resourceClaimName?: string; resourceClaimTemplateName?: string }): Promise<Pod> =>
  cluster.createPod(name, '100m', { resourceClaims: [{ name: 'gpu', ...claim }], containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' }, claims: [{ name: 'gpu' }] } }] })
const nodeOf = (name: string): Promise<string> => eventually(`${name} has a node`, () => cluster.pod(name), (pod) => pod.spec.nodeName !== undefined).then((pod) => pod.spec.nodeName ?? '')
const refused = (name: string): Promise<string> => eventually(`${name} is refused`, () => cluster.pod(name), (pod) => messageOf(pod) !== undefined).then((pod) => messageOf(pod) ?? '')
const messageOf = (pod: Pod): string | undefined => pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')?.message
const claimAt = (name: string): Promise<ResourceClaim> => cluster.client.get(resource.resourceclaims, name, { namespace })
const claimOf = async (pod: string): Promise<ResourceClaim> => claimAt((await cluster.pod(pod)).status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? '')
const finish = async (name: string): Promise<void> => {
  await cluster.client.patch(core.pods, name, { type: 'merge', body: { status: { phase: 'Succeeded' } } }, { namespace, subresource: 'status' })
}

test('a pod with a template gets a claim of its own, the device that it selects, and the node that has it', async () => {
  await template('large', `device.attributes["${driver}"].size == "large"`)
  await podOf('trainer', { resourceClaimTemplateName: 'large' })
  expect(await nodeOf('trainer')).toBe('b')
  const claim = await claimOf('trainer')
  expect(claim.metadata.name).toMatch(/^trainer-gpu-/)
  expect([claim.metadata.annotations, claim.metadata.labels, claim.metadata.finalizers]).toEqual([{ 'resource.kubernetes.io/pod-claim-name': 'gpu' }, { from: 'large' }, ['resource.kubernetes.io/delete-protection']])
  expect(claim.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Pod', name: 'trainer', controller: true })
  expect(claim.status?.reservedFor).toEqual([{ resource: 'pods', name: 'trainer', uid: (await cluster.pod('trainer')).metadata.uid }])
  expect(claim.status?.allocation).toMatchObject({
    devices: { results: [{ request: 'gpu', driver, pool: 'b', device: 'gpu-0' }] },
    nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }] },
  })
})

test('a pod that wants a device in use waits, and has it once the other pod has ended and its claim is gone', async () => {
  await podOf('second', { resourceClaimTemplateName: 'large' })
  expect(await refused('second')).toBe('0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.')
  const before = await claimOf('trainer')
  await finish('trainer')
  expect(await nodeOf('second')).toBe('b')
  await eventually('the first claim is gone', () => claimAt(before.metadata.name).then(() => false, isNotFound), Boolean)
})

test('pods share a claim, on the node where it is; when the last one has ended, its device is free', async () => {
  await cluster.client.create(resource.resourceclaims, { metadata: { name: 'shared', namespace }, spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu', selectors: [{ cel: { expression: `device.attributes["${driver}"].size == "small"` } }] } }] } } })
  await Promise.all(['one', 'two', 'three'].map((name) => podOf(name, { resourceClaimName: 'shared' })))
  expect(await Promise.all(['one', 'two', 'three'].map(nodeOf))).toEqual(['a', 'a', 'a'])
  const claim = await eventually('all are its users', () => claimAt('shared'), ({ status }) => status?.reservedFor?.length === 3)
  expect(claim.status?.allocation?.devices?.results?.map(({ device }) => device)).toEqual(['gpu-0'])
  for (const name of ['one', 'two', 'three']) await finish(name)
  await eventually('it is free', () => claimAt('shared'), ({ status, metadata }) => status?.allocation === undefined && (status?.reservedFor ?? []).length === 0 && (metadata.finalizers ?? []).length === 0)
})

test('ten pods for two devices: no device is given twice', async () => {
  await template('small', `device.capacity["${driver}"].memory.compareTo(quantity("24Gi")) == 0`)
  await Promise.all(Array.from({ length: 10 }, (_, i) => podOf(`many-${i}`, { resourceClaimTemplateName: 'small' })))
  const placed = await eventually('two have a node', async () => (await cluster.client.list(core.pods, { namespace })).items.filter(({ metadata, spec }) => metadata.name.startsWith('many-') && spec.nodeName !== undefined), (pods) => pods.length === 2)
  const claims = await Promise.all(placed.map(({ metadata }) => claimOf(metadata.name)))
  expect(claims.flatMap(({ status }) => (status?.allocation?.devices?.results ?? []).map(({ device }) => device)).sort()).toEqual(['gpu-0', 'gpu-1'])
  await eventually('the others are refused', async () => (await cluster.client.list(core.pods, { namespace })).items.filter((pod) => pod.metadata.name.startsWith('many-') && messageOf(pod)?.startsWith('0/2 nodes are available: 2 cannot allocate all claims.')), (pods) => pods.length === 8)
  await cluster.client.delete(core.pods, placed[0]?.metadata.name ?? '', { namespace, gracePeriodSeconds: 0 })
  await eventually('another one has its device', async () => (await cluster.client.list(core.pods, { namespace })).items.filter(({ metadata, spec }) => metadata.name.startsWith('many-') && spec.nodeName !== undefined), (pods) => pods.length === 2 && pods.some(({ metadata }) => placed.every((pod) => pod.metadata.name !== metadata.name)))
})

test('a pod whose claim or template is not there waits, and goes on once it comes', async () => {
  await cluster.client.create(resource.resourceslices, { metadata: { name: 'everywhere' }, spec: { driver, allNodes: true, pool: { name: 'everywhere', generation: 1, resourceSliceCount: 1 }, devices: [gpu('x', 'tiny'), gpu('y', 'tiny')] } })
  await podOf('needs-claim', { resourceClaimName: 'late' })
  await podOf('needs-template', { resourceClaimTemplateName: 'late' })
  const events = await eventually('there is an event', () => cluster.events('needs-template', 'FailedResourceClaimCreation'), (found) => found.length > 0)
  expect(events[0]?.message).toBe('PodResourceClaim gpu: resource claim template "late": resourceclaimtemplate.resource.k8s.io "late" not found')
  const tiny = `device.attributes["${driver}"].size == "tiny"`
  await template('late', tiny)
  await cluster.client.create(resource.resourceclaims, { metadata: { name: 'late', namespace }, spec: { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu', selectors: [{ cel: { expression: tiny } }] } }] } } })
  await nodeOf('needs-claim')
  await nodeOf('needs-template')
  expect((await claimAt('late')).status?.allocation?.nodeSelector).toBeUndefined()
})
