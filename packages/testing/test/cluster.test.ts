import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AppsV1Api, CoreV1Api } from '@kubernetes/client-node'
import type { Deployment } from '@berth/api/types/apps/v1'
import type { Job } from '@berth/api/types/batch/v1'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apps, batch, core, hollowAnnotations, isForbidden, startCluster, WaitTimeoutError, type Cluster } from '../src/index.ts'

const deployment = (name: string, replicas: number, annotations: Record<string, string> = {}): string => JSON.stringify({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name }, annotations }, spec: { containers: [{ name: 'c', image: 'nginx' }] } } },
})
const job = (name: string, spec: object, annotations: Record<string, string> = {}): string => JSON.stringify({
  apiVersion: 'batch/v1', kind: 'Job', metadata: { name },
  spec: { ...spec, template: { metadata: { annotations }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox' }] } } },
})
const websites = {
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'websites.example.com' },
  spec: {
    group: 'example.com', scope: 'Namespaced', names: { kind: 'Website', plural: 'websites', singular: 'website', shortNames: ['web'] },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { html: { type: 'string', default: '<p>' } } } } } } }],
  },
}

describe('a cluster with two hollow nodes', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 })
  })
  afterAll(() => cluster.stop())

  test('runs a Deployment on both', async () => {
    await cluster.apply(deployment('web', 4))
    const { status } = await cluster.waitFor<Deployment>('deployment/web', 'condition=Available')
    expect(status).toMatchObject({ replicas: 4, updatedReplicas: 4 })
    await cluster.waitFor<Deployment>('deploy/web', ({ status: now }) => now?.readyReplicas === 4)
    const { items } = await cluster.client.list(core.pods, { namespace: 'default', labelSelector: 'app=web' })
    expect(new Set(items.map(({ spec }) => spec.nodeName))).toEqual(new Set(['node-1', 'node-2']))
    expect(new Set(items.map(({ status: now }) => now?.podIP)).size).toBe(4)
  })

  test('gives a Service its endpoints', async () => {
    await cluster.apply('apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { selector: { app: web }, ports: [{ port: 80 }] }\n')
    const endpoints = await cluster.waitFor<{ subsets?: { addresses?: unknown[] }[] }>('endpoints/web', ({ subsets }) => subsets?.[0]?.addresses?.length === 4)
    expect(endpoints.subsets).toHaveLength(1)
  })

  test('completes a Job, and fails one whose pods are told to', async () => {
    await cluster.apply(`${job('good', { completions: 3, parallelism: 2 })}`)
    await cluster.apply(`${job('bad', { backoffLimit: 0 }, { [hollowAnnotations.exitCode]: '7' })}`)
    expect((await cluster.waitFor<Job>('job/good', 'condition=Complete')).status?.succeeded).toBe(3)
    expect((await cluster.waitFor<Job>('job/bad', 'condition=Failed')).status).toMatchObject({ failed: 1 })
  })

  test('waits for a deleted pod until its grace period is over', async () => {
    await cluster.client.create(core.pods, { metadata: { name: 'slow', namespace: 'default', annotations: { [hollowAnnotations.stopAfter]: '1h' } }, spec: { containers: [{ name: 'c', image: 'x' }], terminationGracePeriodSeconds: 2 } })
    await cluster.waitFor('pod/slow', 'condition=Ready')
    const asked = Date.now()
    await cluster.client.delete(core.pods, 'slow', { namespace: 'default' })
    expect((await cluster.client.get(core.pods, 'slow', { namespace: 'default' })).metadata.deletionGracePeriodSeconds).toBe(2)
    await cluster.waitFor('pod/slow', 'delete')
    // The deletion's time is kept in whole seconds.
    expect(Date.now() - asked).toBeGreaterThanOrEqual(1000)
  })

  test('serves @kubernetes/client-node over TLS', async () => {
    const { items } = await cluster.kubeConfig().makeApiClient(CoreV1Api).listNode()
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(['node-1', 'node-2'])
    expect((await cluster.kubeConfig().makeApiClient(AppsV1Api).readNamespacedDeployment({ name: 'web', namespace: 'default' })).spec?.replicas).toBe(4)
  })

  test('knows users with the rights that RBAC gives them', async () => {
    const jane = await cluster.user('jane', ['sailors'])
    await expect(jane.client.list(core.pods, { namespace: 'default' })).rejects.toSatisfy(isForbidden)
    await cluster.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: sailors-view }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: Group, name: sailors }]
`)
    // Roles are gathered into `view` by a controller.
    await cluster.waitFor('clusterrole/view', (role) => (role['rules'] as unknown[] | null ?? []).length > 0)
    expect((await jane.client.list(core.pods, { namespace: 'default' })).items.length).toBeGreaterThan(0)
    expect((await jane.kubeConfig().makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'default' })).items.length).toBeGreaterThan(0)
  })

  test('applies definitions and their objects in one go', async () => {
    const applied = await cluster.apply([websites, { apiVersion: 'example.com/v1', kind: 'Website', metadata: { name: 'home' } }])
    expect(applied[1]).toMatchObject({ metadata: { name: 'home', namespace: 'default' } })
    await cluster.apply({ apiVersion: 'example.com/v1', kind: 'Website', metadata: { name: 'home' }, spec: {} })
    expect(await cluster.waitFor('web/home', 'jsonpath={.spec.html}=<p>')).toMatchObject({ kind: 'Website' })
  })

  test('says how an object was last when a wait was in vain', async () => {
    await cluster.apply(deployment('stuck', 1, { [hollowAnnotations.waiting]: 'ImagePullBackOff' }))
    await cluster.waitFor<Deployment>('deployment/stuck', ({ status }) => status?.unavailableReplicas === 1)
    const failure = await cluster.waitFor('deployment/stuck', 'condition=Available', { timeout: 200 }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(WaitTimeoutError)
    expect((failure as Error).message).toMatch(/^timed out after 0\.2s waiting for deployment\/stuck in namespace default: condition=Available\nlast state:\n/)
    expect((failure as Error).message).toMatch(/condition Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability\./)
    expect((failure as Error).message).toMatch(/last events:\n {2}Normal ScalingReplicaSet: Scaled up replica set/)
    const missing = await cluster.waitFor('pod/nowhere', 'create', { timeout: 100 }).catch((error: unknown) => error)
    expect((missing as Error).message).toBe('timed out after 0.1s waiting for pod/nowhere in namespace default: create\nlast state: there is no such object')
  })

  test.each([
    ['a kind that is not served', () => cluster.apply({ apiVersion: 'example.com/v9', kind: 'Nothing', metadata: { name: 'x' } }), /^Nothing\/x: no matches for kind "Nothing" in version "example.com\/v9"/],
    ['an object that is refused', () => cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'X' } }), /^ConfigMap\/X: ConfigMap "X" is invalid: metadata\.name/],
    ['a type that nobody knows', () => cluster.waitFor('ship/x', 'create'), /^the server doesn't have a resource type "ship"$/],
    ['a condition that nobody understands', () => cluster.waitFor('pod/x', 'ready' as 'create'), /^unrecognized condition: "ready"/],
  ])('refuses %s', async (_what, ask, message) => {
    await expect(ask()).rejects.toThrow(message)
  })
})

test('clusters of one process share nothing, and leave no file behind', async () => {
  const [one, two] = await Promise.all([startCluster(), startCluster()])
  await one.apply('apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n')
  expect((await two.client.list(core.configmaps, { namespace: 'default', fieldSelector: 'metadata.name=mine' })).items).toEqual([])
  const path = one.kubeconfigPath
  expect(existsSync(path)).toBe(true)
  await Promise.all([one.stop(), two.stop(), one.stop()])
  expect(existsSync(path)).toBe(false)
  await expect(one.client.list(core.nodes)).rejects.toThrow()
})

test('a wait ends with its cluster', async () => {
  const cluster = await startCluster({ controllers: false, scheduler: false })
  const waiting = cluster.waitFor('pod/never', 'create').catch((error: unknown) => error)
  await cluster.stop()
  expect((await waiting as Error).message).toMatch(/^the cluster was stopped waiting for pod\/never/)
})

test('options say what there is', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-testing-crds-'))
  await writeFile(join(directory, 'websites.json'), JSON.stringify(websites))
  await using cluster = await startCluster({
    nodes: [{ name: 'big', labels: { 'topology.kubernetes.io/zone': 'a' }, capacity: { cpu: '64' } }, { name: 'small', count: 2, taints: [{ key: 'small', effect: 'NoSchedule' }], jobs: 'run' }],
    featureGates: { GenericWorkload: true }, runtimeConfig: { 'scheduling.k8s.io/v1alpha2': true }, apiServerFlags: ['--authorization-mode=AlwaysAllow', '--service-cluster-ip-range=10.77.0.0/24'],
    crds: directory, manifests: { apiVersion: 'example.com/v1', kind: 'Website', metadata: { name: 'home', namespace: 'default' } },
  })
  await rm(directory, { recursive: true })
  const { items } = await cluster.client.list(core.nodes)
  expect(items.map(({ metadata, status }) => [metadata.name, status?.allocatable?.['cpu']])).toEqual([['big-1', '64'], ['small-1', '8'], ['small-2', '8']])
  expect((await cluster.client.get(core.services, 'kubernetes', { namespace: 'default' })).spec?.clusterIP).toBe('10.77.0.1')
  expect((await (await cluster.user('nobody')).client.list(core.nodes)).items).toHaveLength(3)
  await cluster.apply('apiVersion: scheduling.k8s.io/v1alpha2\nkind: Workload\nmetadata: { name: w }\nspec: { podGroupTemplates: [{ name: g, schedulingPolicy: { basic: {} } }] }\n')
  await cluster.apply(deployment('tolerant', 2))
  await cluster.waitFor('deployment/tolerant', 'condition=Available')
  const pods = await cluster.client.list(core.pods, { namespace: 'default' })
  expect(new Set(pods.items.map(({ spec }) => spec.nodeName))).toEqual(new Set(['big-1']))
  await cluster.client.delete(apps.deployments, 'tolerant', { namespace: 'default', propagationPolicy: 'Foreground' })
  await cluster.waitFor('deployment/tolerant', 'delete')
})

test('without controllers and scheduler there is an API server alone', async () => {
  await using cluster = await startCluster({ controllers: false, scheduler: false })
  await cluster.apply(job('j', {}))
  expect((await cluster.client.get(batch.jobs, 'j', { namespace: 'default' })).status).not.toHaveProperty('active')
})

test.each([
  [{ nodes: -1 }, /^nodes: -1 is not a number of nodes$/],
  [{ nodes: [{ name: 'a' }, { name: 'a' }, { name: 'a-1', kind: 'real' as const, runtimeEndpoint: 'unix:///none' }] }, /^two nodes are called a-1$/],
  [{ featureGates: { Nonsense: true } }, /Nonsense/],
  [{ apiServerFlags: ['--nonsense'] }, /unknown flag: --nonsense/],
  [{ controllers: ['nonsense'] }, /"nonsense" is not in the list of known controllers/],
  [{ scheduler: { nonsense: 1 } }, /nonsense/],
  [{ manifests: 'kind: ConfigMap\nmetadata: { name: x }\n' }, /^the text: apiVersion not set$/],
])('a wrong setting is an error: %j', async (options, message) => {
  await expect(startCluster(options)).rejects.toThrow(message)
})

test('a process ends by itself once its cluster is stopped', async () => {
  const script = `const { startCluster } = await import(${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)})
const cluster = await startCluster({ nodes: 1 })
await cluster.apply(${JSON.stringify(deployment('web', 1))})
await cluster.waitFor('deployment/web', 'condition=Available')
const { CoreV1Api } = await import('@kubernetes/client-node')
await cluster.kubeConfig().makeApiClient(CoreV1Api).listNode()
await cluster.stop()
console.log('stopped')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], { cwd: new URL('..', import.meta.url).pathname, timeout: 60_000 })
  expect(stdout).toBe('stopped\n')
})
