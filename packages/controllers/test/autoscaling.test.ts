import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { apiextensions, apiregistration, apps, autoscalingV2, core } from '@berth/api'
import type { CustomResourceDefinition } from '@berth/api/types/apiextensions/v1'
import type { Deployment } from '@berth/api/types/apps/v1'
import type { HorizontalPodAutoscaler, MetricSpec } from '@berth/api/types/autoscaling/v2'
import { createCa, issueCertificate } from '@berth/kube'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let metricsServer: Server

/** What the custom and external metrics are, by the beginning of the path; what is not here is not found. */
const answers = new Map<string, unknown>()
/** Thousandths of a core that each pod of an application burns. */
const burning = new Map<string, number>()

const groupVersions = ['metrics.k8s.io/v1beta1', 'custom.metrics.k8s.io/v1beta2', 'external.metrics.k8s.io/v1beta1']

/** Answers as metrics-server and an adapter would: discovery, then what the tests set. */
async function answer(path: string): Promise<unknown> {
  const groupVersion = groupVersions.find((each) => path === `/apis/${each}`)
  if (groupVersion !== undefined) return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [] }
  if (!path.startsWith('/apis/metrics.k8s.io/')) return [...answers].find(([prefix]) => path.startsWith(prefix))?.[1]
  const application = /app%3D([a-z]+)/.exec(path)?.[1] ?? ''
  const each = burning.get(application)
  if (each === undefined) return undefined
  const { items } = await cluster.client.list(core.pods, { namespace: 'default', labelSelector: `app=${application}` })
  const timestamp = new Date(Date.now() + 60_000).toISOString()
  return { kind: 'PodMetricsList', apiVersion: 'metrics.k8s.io/v1beta1', items: items.map(({ metadata }) => ({ metadata: { name: metadata.name, namespace: 'default' }, timestamp, window: '10s', containers: [{ name: 'c', usage: { cpu: `${each * 1_000_000}n`, memory: '64Mi' } }] })) }
}

/** A server of metrics behind the aggregation layer: three APIServices, a Service that says it is on this machine. */
async function startMetricsServer(): Promise<Server> {
  const ca = await createCa('metrics-ca')
  const { certificate, key } = await issueCertificate(ca, { commonName: 'metrics', dnsNames: ['metrics.kube-system.svc'], usages: ['server'] })
  const started = createServer({ cert: certificate, key }, (request, response) => {
    answer(request.url ?? '').then((found) => (found === undefined ? response.writeHead(404).end('404 page not found\n') : response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found))), (error: unknown) => response.writeHead(500).end(String(error)))
  })
  started.listen(0, 'localhost')
  await once(started, 'listening')
  const { port } = started.address() as AddressInfo
  await cluster.client.create(core.services, { metadata: { name: 'metrics', namespace: 'kube-system' }, spec: { type: 'ExternalName', externalName: 'localhost' } })
  for (const [group = '', version = ''] of groupVersions.map((each) => each.split('/'))) {
    const name = `${version}.${group}`
    await cluster.client.create(apiregistration.apiservices, {
      metadata: { name }, spec: { group, version, groupPriorityMinimum: 100, versionPriority: 100, caBundle: Buffer.from(ca.certificate).toString('base64'), service: { namespace: 'kube-system', name: 'metrics', port } },
    })
    await eventually(`${name} is available`, () => cluster.client.get(apiregistration.apiservices, name), ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True') === true)
  }
  return started
}

beforeAll(async () => {
  cluster = await startCluster({ horizontalPodAutoscalerSyncPeriod: 100, horizontalPodAutoscalerDownscaleStabilization: 500 })
  await cluster.addNode('n1')
  metricsServer = await startMetricsServer()
})

afterAll(async () => {
  await cluster?.stop()
  metricsServer?.closeAllConnections()
  metricsServer?.close()
})

beforeEach(() => answers.clear())

async function deploy(name: string, replicas: number, labels = { app: name }): Promise<Deployment> {
  return cluster.client.create(apps.deployments, {
    metadata: { name, namespace: 'default' },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { name: '', labels }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }] } } },
  })
}

async function scale(name: string, kind: string, metrics: MetricSpec[] | undefined, more: Partial<HorizontalPodAutoscaler['spec']> = {}, apiVersion = 'apps/v1'): Promise<void> {
  await cluster.client.create(autoscalingV2.horizontalpodautoscalers, { metadata: { name, namespace: 'default' }, spec: { scaleTargetRef: { apiVersion, kind, name }, maxReplicas: 10, ...(metrics && { metrics }), ...more } })
}

const read = (name: string): Promise<HorizontalPodAutoscaler> => cluster.client.get(autoscalingV2.horizontalpodautoscalers, name, { namespace: 'default' })
const said = (autoscaler: HorizontalPodAutoscaler, type: string): string => {
  const found = autoscaler.status?.conditions?.find((condition) => condition.type === type)
  return `${found?.status} ${found?.reason}: ${found?.message}`
}
const until = (name: string, what: string, holds: (autoscaler: HorizontalPodAutoscaler) => boolean): Promise<HorizontalPodAutoscaler> => eventually(`${name} ${what}`, () => read(name), holds)
const cpu = (averageUtilization: number): MetricSpec => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } })
async function event(name: string, reason: string): Promise<string> {
  const { items } = await eventually(`${name} has the event ${reason}`, () => cluster.client.list(core.events, { namespace: 'default', fieldSelector: `involvedObject.name=${name},reason=${reason}` }), (list) => list.items.length > 0)
  return `${items[0]?.type} ${items[0]?.source?.component} ${items[0]?.message}`
}

test('a Deployment grows with its load and shrinks when that is gone', async () => {
  await deploy('web', 2)
  await eventually('both run', () => cluster.client.get(apps.deployments, 'web', { namespace: 'default' }), ({ status }) => status?.readyReplicas === 2)
  burning.set('web', 150)
  await scale('web', 'Deployment', [cpu(50)])
  await eventually('it has grown', () => cluster.client.get(apps.deployments, 'web', { namespace: 'default' }), ({ spec }) => (spec.replicas ?? 0) >= 4)
  expect(await event('web', 'SuccessfulRescale')).toBe('Normal horizontal-pod-autoscaler New size: 4; reason: cpu resource utilization (percentage of request) above target')
  const grown = await until('web', 'reaches the most', ({ status }) => status?.currentReplicas === 10)
  expect(grown.status?.currentMetrics).toEqual([{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 150, averageValue: '150m' } } }])
  expect(grown.status?.lastScaleTime).toBeDefined()
  expect(said(grown, 'ScalingActive')).toBe('True ValidMetricFound: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)')
  const limited = await until('web', 'is limited', (autoscaler) => said(autoscaler, 'ScalingLimited').startsWith('True TooManyReplicas'))
  expect(said(limited, 'ScalingLimited')).toBe('True TooManyReplicas: the desired replica count is more than the maximum replica count')

  burning.set('web', 10)
  await until('web', 'shrinks to one', ({ status }) => status?.currentReplicas === 1 && status.desiredReplicas === 1)
  const small = await until('web', 'rests', (autoscaler) => said(autoscaler, 'AbleToScale').includes('ReadyForNewScale'))
  expect(said(small, 'AbleToScale')).toBe('True ReadyForNewScale: recommended size matches current size')
})

test('whoever gives no metrics is told so, and nothing is scaled', async () => {
  await deploy('mute', 1)
  await scale('mute', 'Deployment', [cpu(50)])
  const failed = await until('mute', 'says so', (autoscaler) => said(autoscaler, 'ScalingActive').startsWith('False'))
  const reason = 'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)'
  expect(said(failed, 'ScalingActive')).toBe(`False FailedGetResourceMetric: the HPA was unable to compute the replica count: ${reason}`)
  expect(said(failed, 'AbleToScale')).toBe("True SucceededGetScale: the HPA controller was able to get the target's current scale")
  expect(await event('mute', 'FailedGetResourceMetric')).toBe(`Warning horizontal-pod-autoscaler ${reason}`)
  expect(await event('mute', 'FailedComputeMetricsReplicas')).toBe(`Warning horizontal-pod-autoscaler invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${reason}`)
})

test.each([
  ['no-target', 'Deployment', 'apps/v1', 'deployments.apps "no-target" not found'],
  ['no-kind', 'Submarine', 'apps/v1', 'no matches for kind "Submarine" in group "apps"'],
  ['no-scale', 'DaemonSet', 'apps/v1', 'the server could not find the requested resource'],
])('a target that cannot be scaled: %s', async (name, kind, apiVersion, message) => {
  await scale(name, kind, undefined, {}, apiVersion)
  const failed = await until(name, 'says so', (autoscaler) => said(autoscaler, 'AbleToScale').startsWith('False'))
  expect(said(failed, 'AbleToScale')).toBe(`False FailedGetScale: the HPA controller was unable to get the target's current scale: ${message}`)
  expect(await event(name, 'FailedGetScale')).toBe(`Warning horizontal-pod-autoscaler ${message}`)
})

test('bounds hold whatever the metrics say, and a target of zero replicas is left alone', async () => {
  await deploy('small', 1)
  await scale('small', 'Deployment', [cpu(50)], { minReplicas: 3 })
  expect(await event('small', 'SuccessfulRescale')).toBe('Normal horizontal-pod-autoscaler New size: 3; reason: Current number of replicas below Spec.MinReplicas')
  await cluster.client.patch(apps.deployments, 'small', { type: 'merge', body: { spec: { replicas: 12 } } }, { namespace: 'default' })
  await eventually('it is back at the most', () => cluster.client.get(apps.deployments, 'small', { namespace: 'default' }), ({ spec }) => spec.replicas === 10)
  await cluster.client.patch(apps.deployments, 'small', { type: 'merge', body: { spec: { replicas: 0 } } }, { namespace: 'default' })
  const off = await until('small', 'is off', (autoscaler) => said(autoscaler, 'ScalingActive').includes('ScalingDisabled'))
  expect(said(off, 'ScalingActive')).toBe('False ScalingDisabled: scaling is disabled since the replica count of the target is zero')
})

test('two autoscalers do not pull at the same pods', async () => {
  burning.set('shared', 50)
  await deploy('one', 1, { app: 'shared' })
  await scale('one', 'Deployment', [cpu(50)])
  await until('one', 'is active', (autoscaler) => said(autoscaler, 'ScalingActive').startsWith('True'))
  await deploy('two', 1, { app: 'shared' })
  await scale('two', 'Deployment', [cpu(50)])
  const stopped = await until('two', 'says so', (autoscaler) => said(autoscaler, 'ScalingActive').includes('AmbiguousSelector'))
  expect(said(stopped, 'ScalingActive')).toBe('False AmbiguousSelector: pods by selector app=shared are controlled by multiple HPAs: [{one default} {two default}]')
})

test('custom and external metrics, of which the greatest counts', async () => {
  await deploy('queue', 1)
  await eventually('it runs', () => cluster.client.get(apps.deployments, 'queue', { namespace: 'default' }), ({ status }) => status?.readyReplicas === 1)
  const { items: [pod] } = await cluster.client.list(core.pods, { namespace: 'default', labelSelector: 'app=queue' })
  const timestamp = new Date().toISOString()
  answers.set('/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/requests?labelSelector=app%3Dqueue', { items: [{ describedObject: { kind: 'Pod', name: pod?.metadata.name }, timestamp, windowSeconds: 10, value: '1500m' }] })
  answers.set('/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/ingresses.networking.k8s.io/front/hits', { items: [{ describedObject: { kind: 'Ingress', name: 'front' }, timestamp, value: '10' }] })
  answers.set('/apis/external.metrics.k8s.io/v1beta1/namespaces/default/depth?labelSelector=q%3Dmail', { items: [{ metricName: 'depth', timestamp, value: '20' }, { metricName: 'depth', timestamp, value: '10' }] })
  await scale('queue', 'Deployment', [
    { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '1' } } },
    { type: 'Object', object: { describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'front' }, metric: { name: 'hits' }, target: { type: 'AverageValue', averageValue: '5' } } },
    { type: 'External', external: { metric: { name: 'depth', selector: { matchLabels: { q: 'mail' } } }, target: { type: 'AverageValue', averageValue: '10' } } },
  ])
  expect(await event('queue', 'SuccessfulRescale')).toBe('Normal horizontal-pod-autoscaler New size: 3; reason: external metric depth(&LabelSelector{MatchLabels:map[string]string{q: mail,},MatchExpressions:[]LabelSelectorRequirement{},}) above target')
  const grown = await until('queue', 'is measured', ({ status }) => (status?.currentMetrics?.length ?? 0) === 3)
  expect(grown.status?.currentMetrics?.[0]).toEqual({ type: 'Pods', pods: { metric: { name: 'requests' }, current: { averageValue: '1500m' } } })
})

test('a custom resource scales by the paths of its definition', async () => {
  const definition: CustomResourceDefinition = {
    metadata: { name: 'fleets.sea.example.com' },
    spec: {
      group: 'sea.example.com', scope: 'Namespaced', names: { plural: 'fleets', singular: 'fleet', kind: 'Fleet', listKind: 'FleetList' },
      versions: [{
        name: 'v1', served: true, storage: true, subresources: { status: {}, scale: { specReplicasPath: '.spec.ships', statusReplicasPath: '.status.ships', labelSelectorPath: '.status.selector' } },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { ships: { type: 'integer' } } }, status: { type: 'object', properties: { ships: { type: 'integer' }, selector: { type: 'string' } } } } } },
      }],
    },
  }
  await cluster.client.create(apiextensions.customresourcedefinitions, definition)
  const fleets = { group: 'sea.example.com', version: 'v1', resource: 'fleets', singular: 'fleet', kind: 'Fleet', namespaced: true, verbs: [], shortNames: [], categories: [], subresources: [] }
  const fleet = { apiVersion: 'sea.example.com/v1', kind: 'Fleet', metadata: { name: 'north', namespace: 'default' }, spec: { ships: 1 } }
  await eventually('the definition is served', () => cluster.client.create(fleets, fleet), () => true)
  await scale('north', 'Fleet', [{ type: 'External', external: { metric: { name: 'icebergs' }, target: { type: 'Value', value: '1' } } }], { minReplicas: 2 }, 'sea.example.com/v1')
  await eventually('it has two ships', () => cluster.client.get(fleets, 'north', { namespace: 'default' }) as Promise<typeof fleet>, ({ spec }) => spec.ships === 2)
  const lost = await until('north', 'misses its selector', (autoscaler) => said(autoscaler, 'ScalingActive').startsWith('False'))
  expect(said(lost, 'ScalingActive')).toBe("False InvalidSelector: the HPA target's scale is missing a selector")
})
