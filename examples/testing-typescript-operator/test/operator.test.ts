import { apps, core, defineResource, hollowAnnotations, startCluster, type Cluster } from '@berth/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startOperator, type Operator } from '../src/operator.ts'
import { group, type Website } from '../src/website.ts'

const websites = defineResource<Website>({ ...group, resource: group.plural, singular: 'website', kind: 'Website', namespaced: true, verbs: [], shortNames: [], categories: [], subresources: [] })
const inDefault = { namespace: 'default' }
let cluster: Cluster
let operator: Operator

beforeAll(async () => {
  cluster = await startCluster({ nodes: 2, crds: new URL('../config/websites.yaml', import.meta.url) })
  operator = await startOperator(cluster.kubeConfig())
})

afterAll(async () => {
  await operator.stop()
  await cluster.stop()
})

const website = (name: string, spec: Website['spec']): object => ({ apiVersion: 'examples.berth.dev/v1', kind: 'Website', metadata: { name }, spec })

test('a website is served by its replicas, and its status tells of them', async () => {
  await cluster.apply(website('home', { html: '<h1>Ahoy</h1>', replicas: 3 }))
  const { status } = await cluster.waitFor<Website>('website/home', 'jsonpath={.status.availableReplicas}=3')
  expect(status?.observedGeneration).toBe(1)
  expect((await cluster.client.get(core.configmaps, 'home', inDefault)).data).toEqual({ 'index.html': '<h1>Ahoy</h1>' })
  expect((await cluster.client.list(core.pods, { ...inDefault, labelSelector: 'website=home' })).items).toHaveLength(3)
})

test('a change is followed', async () => {
  await cluster.client.patch(websites, 'home', { type: 'merge', body: { spec: { html: '<h1>Land ho</h1>', replicas: 1 } } }, inDefault)
  await cluster.waitFor<Website>('website/home', ({ status }) => status?.observedGeneration === 2 && status.availableReplicas === 1)
  expect((await cluster.client.get(core.configmaps, 'home', inDefault)).data?.['index.html']).toBe('<h1>Land ho</h1>')
})

test('what somebody else changes is put back', async () => {
  await cluster.client.patch(apps.deployments, 'home', { type: 'merge', body: { spec: { replicas: 5 } } }, inDefault)
  await cluster.waitFor('deployment/home', 'jsonpath={.spec.replicas}=1')
})

test('a website whose pods do not get ready says so', async () => {
  await cluster.apply(website('slow', { html: '<p>' }))
  await cluster.waitFor('website/slow', 'jsonpath={.status.availableReplicas}=1')
  const template = { spec: { template: { metadata: { annotations: { [hollowAnnotations.ready]: 'false' } } }, strategy: { type: 'Recreate', rollingUpdate: null } } }
  await cluster.client.patch(apps.deployments, 'slow', { type: 'merge', body: template }, inDefault)
  await cluster.waitFor('website/slow', 'jsonpath={.status.availableReplicas}=0')
})

test('what belongs to a website goes with it', async () => {
  await cluster.client.delete(websites, 'home', inDefault)
  await cluster.waitFor('deployment/home', 'delete')
  await cluster.waitFor('configmap/home', 'delete')
})

test('the definition refuses what is none', async () => {
  await expect(cluster.apply(website('many', { html: '<p>', replicas: 11 }))).rejects.toThrow(/spec\.replicas: Invalid value: 11: .*should be less than or equal to 10/)
})
