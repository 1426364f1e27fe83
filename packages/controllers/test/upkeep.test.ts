import { admissionregistration, authentication, core, networking, storage } from '@berth/api'
import { createClient, httpsTransport, isNotFound, type KubeClient } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let client: KubeClient

beforeAll(async () => {
  cluster = await startCluster()
  client = cluster.client
  await cluster.addNode('n1')
})

afterAll(() => cluster?.stop())

const inDefault = { namespace: 'default' }
const isGone = (asked: Promise<unknown>): Promise<boolean> => asked.then(() => false, isNotFound)

test('a Secret that asks for an account’s token gets one, and both go with the account', async () => {
  await client.create(core.serviceaccounts, { metadata: { name: 'bot', ...inDefault } })
  await client.create(core.secrets, { metadata: { name: 'bot-token', ...inDefault, annotations: { 'kubernetes.io/service-account.name': 'bot' } }, type: 'kubernetes.io/service-account-token' })
  const { data = {} } = await eventually('the token is there', () => client.get(core.secrets, 'bot-token', inDefault), (secret) => secret.data?.['token'] !== undefined)
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8')
  expect([text('namespace'), text('ca.crt')]).toEqual(['default', cluster.server.certificates.servingCa])

  const transport = httpsTransport({ server: `https://127.0.0.1:${cluster.server.port}`, ca: text('ca.crt'), token: text('token') })
  const bot = createClient(transport)
  const review = await bot.create(authentication.selfsubjectreviews, { metadata: { name: '' } })
  expect(review.status?.userInfo?.username).toBe('system:serviceaccount:default:bot')
  const used = await eventually('its use is written down', () => client.get(core.secrets, 'bot-token', inDefault), (secret) => secret.metadata.labels?.['kubernetes.io/legacy-token-last-used'] !== undefined)
  expect(used.metadata.labels?.['kubernetes.io/legacy-token-last-used']).toMatch(/^\d{4}-\d\d-\d\d$/)

  await client.delete(core.serviceaccounts, 'bot', inDefault)
  await eventually('the Secret is gone', () => isGone(client.get(core.secrets, 'bot-token', inDefault)), (gone) => gone)
  await expect(bot.create(authentication.selfsubjectreviews, { metadata: { name: '' } })).rejects.toMatchObject({ code: 401 })
  await transport.close()
})

test('a Secret that asks for the token of an account that is not there is deleted', async () => {
  await client.create(core.secrets, { metadata: { name: 'nobody', ...inDefault, annotations: { 'kubernetes.io/service-account.name': 'nobody' } }, type: 'kubernetes.io/service-account-token' })
  await eventually('the Secret is gone', () => isGone(client.get(core.secrets, 'nobody', inDefault)), (gone) => gone)
})

test('a range of Services’ addresses is ready, and stays while a Service has an address of it', async () => {
  await client.create(networking.servicecidrs, { metadata: { name: 'more' }, spec: { cidrs: ['10.97.0.0/24'] } })
  const ready = await eventually('it is ready', () => client.get(networking.servicecidrs, 'more'), ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true)
  expect([ready.metadata.finalizers, ready.status?.conditions?.[0]?.message]).toEqual([['networking.k8s.io/service-cidr-finalizer'], 'Kubernetes Service CIDR is ready'])
  await client.create(core.services, { metadata: { name: 'there', ...inDefault }, spec: { clusterIP: '10.97.0.9', ports: [{ port: 80 }] } })
  await client.delete(networking.servicecidrs, 'more')
  const stays = await eventually('it says why it stays', () => client.get(networking.servicecidrs, 'more'), ({ status }) => status?.conditions?.some(({ status: is }) => is === 'False') === true)
  expect(stays.status?.conditions).toEqual([expect.objectContaining({ type: 'Ready', reason: 'Terminating', message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR' })])
})

test('a node says for how long Secrets may be kept', async () => {
  await eventually('the annotation is there', () => client.get(core.nodes, 'n1'), ({ metadata }) => metadata.annotations?.['node.alpha.kubernetes.io/ttl'] === '0')
})

test('whoever asks for a larger volume is told who does that', async () => {
  await client.create(core.persistentvolumes, { metadata: { name: 'v' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi: { driver: 'd.example.com', volumeHandle: 'h' }, storageClassName: 'grows' } })
  await client.create(core.persistentvolumeclaims, { metadata: { name: 'c', ...inDefault }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'grows', volumeName: 'v', resources: { requests: { storage: '1Gi' } } } })
  await eventually('it is bound', () => client.get(core.persistentvolumeclaims, 'c', inDefault), ({ status }) => status?.phase === 'Bound')
  await client.create(storage.storageclasses, { metadata: { name: 'grows' }, provisioner: 'd.example.com', allowVolumeExpansion: true })
  await client.patch(core.persistentvolumeclaims, 'c', { type: 'merge', body: { spec: { resources: { requests: { storage: '2Gi' } } } } }, inDefault)
  const { items } = await eventually('the event is there', () => client.list(core.events, { ...inDefault, fieldSelector: 'involvedObject.name=c,reason=ExternalExpanding' }), (list) => list.items.length > 0)
  expect(`${items[0]?.type} ${items[0]?.source?.component} ${items[0]?.message}`).toBe('Normal volume_expand waiting for an external controller to expand this PVC')
})

test('a policy says which of its expressions do not fit what it is about', async () => {
  await client.create(admissionregistration.validatingadmissionpolicies, {
    metadata: { name: 'few' },
    spec: {
      matchConstraints: { resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }] },
      validations: [{ expression: 'object.spec.replicas < 5' }, { expression: 'object.spec.copies < 5' }],
    },
  })
  const { status } = await eventually('it has been looked at', () => client.get(admissionregistration.validatingadmissionpolicies, 'few'), (policy) => policy.status?.observedGeneration === 1)
  expect(status?.typeChecking?.expressionWarnings).toEqual([{
    fieldRef: 'spec.validations[1].expression', warning: "apps/v1, Kind=Deployment: compilation failed: ERROR: <input>:1:12: undefined field 'copies'\n | object.spec.copies < 5\n | ...........^\n",
  }])
})

test('an attribute class stays while a claim has it', async () => {
  await client.create(storage.volumeattributesclasses, { metadata: { name: 'gold' }, driverName: 'd.example.com', parameters: { iops: '9' } })
  await client.create(core.persistentvolumeclaims, { metadata: { name: 'golden', ...inDefault }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', volumeAttributesClassName: 'gold', resources: { requests: { storage: '1Gi' } } } })
  await client.delete(storage.volumeattributesclasses, 'gold')
  const stays = await client.get(storage.volumeattributesclasses, 'gold')
  expect(stays.metadata.finalizers).toEqual(['kubernetes.io/vac-protection'])
  await client.delete(core.persistentvolumeclaims, 'golden', inDefault)
  await eventually('it is gone', () => isGone(client.get(storage.volumeattributesclasses, 'gold')), (gone) => gone)
})

test('pods leave a node that is tainted with NoExecute, those that are over too', async () => {
  await cluster.addNode('n2')
  cluster.broken.add('done')
  await client.create(core.pods, { metadata: { name: 'done', ...inDefault }, spec: { nodeName: 'n2', containers: [{ name: 'c', image: 'i' }] } })
  await client.patch(core.pods, 'done', { type: 'merge', body: { status: { phase: 'Succeeded' } } }, { ...inDefault, subresource: 'status' })
  await client.patch(core.nodes, 'n2', { type: 'merge', body: { spec: { taints: [{ key: 'away', effect: 'NoExecute' }] } } })
  await eventually('it is gone', () => isGone(client.get(core.pods, 'done', inDefault)), (gone) => gone)
  const { items } = await eventually('the event is there', () => client.list(core.events, { ...inDefault, fieldSelector: 'involvedObject.name=done,reason=TaintManagerEviction' }), (list) => list.items.length > 0)
  expect(`${items[0]?.type} ${items[0]?.source?.component} ${items[0]?.message}`).toBe('Normal taint-eviction-controller Marking for deletion Pod default/done')
})
