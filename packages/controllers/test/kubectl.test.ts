import { apps } from '@berth/api'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'
import { findKubectl, runKubectl } from './kubectl-program.ts'

const hasKubectl = findKubectl()
let cluster: TestCluster
let config: string

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.addNode('n1')
  config = await cluster.kubeconfig()
})
afterAll(() => cluster.stop())

const kubectl = (...args: string[]): Promise<string> => runKubectl(config, args)

test.skipIf(!hasKubectl)('kubectl rollout status, rollout history, rollout undo, rollout restart, rollout pause, rollout resume: of a Deployment, which scales while it is paused', async () => {
  await kubectl('create', 'deployment', 'web', '--image=nginx:1', '--replicas=2', '--port=80')
  expect(await kubectl('rollout', 'status', 'deployment/web')).toContain('deployment "web" successfully rolled out')
  await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:2')
  expect(await kubectl('rollout', 'status', 'deployment/web')).toContain('deployment "web" successfully rolled out')
  await kubectl('annotate', 'deployment/web', 'kubernetes.io/change-cause=second')
  await eventually('the cause is in the history', () => kubectl('rollout', 'history', 'deployment/web'), (text) => /^1 +<none>\n2 +second$/m.test(text))
  expect(await kubectl('rollout', 'history', 'deployment/web', '--revision=1')).toContain('nginx:1')

  expect(await kubectl('rollout', 'undo', 'deployment/web')).toBe('deployment.apps/web rolled back\n')
  await kubectl('rollout', 'status', 'deployment/web')
  expect(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image} {.metadata.annotations.deployment\\.kubernetes\\.io/revision}')).toBe('nginx:1 3')
  expect(await kubectl('rollout', 'undo', 'deployment/web', '--to-revision=2')).toBe('deployment.apps/web rolled back\n')
  await kubectl('rollout', 'status', 'deployment/web')
  expect(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image} {.metadata.annotations.deployment\\.kubernetes\\.io/revision}')).toBe('nginx:2 4')

  await kubectl('rollout', 'restart', 'deployment/web')
  await kubectl('rollout', 'status', 'deployment/web')
  await kubectl('rollout', 'pause', 'deployment/web')
  await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:3')
  await kubectl('scale', 'deployment/web', '--replicas=4')
  await eventually('it has scaled while paused', () => kubectl('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={range .items[*]}{.spec.containers[0].image} {end}'), (text) => text.trim() === 'nginx:2 nginx:2 nginx:2 nginx:2')
  await kubectl('rollout', 'resume', 'deployment/web')
  await kubectl('rollout', 'status', 'deployment/web')
  await kubectl('wait', '--for=condition=Available', 'deployment/web', '--timeout=20s')
  expect(await kubectl('get', 'deployment', 'web', '--no-headers')).toMatch(/^web +4\/4 +4 +4 +/)
  const described = await kubectl('describe', 'deployment', 'web')
  expect(described).toMatch(/Replicas: +4 desired \| 4 updated \| 4 total \| 4 available \| 0 unavailable/)
  expect(described).toMatch(/ScalingReplicaSet +\S+ +deployment-controller +Scaled up replica set web-\S+ from 0 to 2/)
})

test.skipIf(!hasKubectl)('kubectl sees a Service’s endpoints, and deletes a Deployment without its pods', async () => {
  await kubectl('create', 'deployment', 'api', '--image=nginx:1', '--replicas=2', '--port=8080')
  await kubectl('expose', 'deployment', 'api', '--port=80', '--target-port=8080')
  await kubectl('rollout', 'status', 'deployment/api')
  await eventually('the Service has endpoints', () => kubectl('describe', 'service', 'api'), (text) => /^Endpoints: +10\.244\.\d+\.\d+:8080,10\.244\.\d+\.\d+:8080$/m.test(text))
  await kubectl('delete', 'deployment', 'api', '--cascade=orphan')
  await eventually('it is gone', async () => (await cluster.client.list(apps.deployments, { namespace: 'default', fieldSelector: 'metadata.name=api' })).items.length, (count) => count === 0)
  expect((await kubectl('get', 'pods', '-l', 'app=api', '-o', 'name')).trim().split('\n')).toHaveLength(2)
  await kubectl('delete', 'replicaset', '-l', 'app=api', '--cascade=foreground')
  expect(await kubectl('get', 'pods', '-l', 'app=api', '-o', 'name')).toBe('')
})

test.skipIf(!hasKubectl)('kubectl deletes a namespace with what is in it and waits until it is gone', async () => {
  await kubectl('create', 'namespace', 'team')
  await kubectl('-n', 'team', 'create', 'deployment', 'x', '--image=i', '--replicas=3')
  await kubectl('-n', 'team', 'rollout', 'status', 'deployment/x')
  expect(await kubectl('delete', 'namespace', 'team', '--timeout=30s')).toContain('namespace "team" deleted')
  await expect(kubectl('get', 'namespace', 'team')).rejects.toThrow('namespaces "team" not found')
})

test.skipIf(!hasKubectl)('kubectl drain: as far as disruption budgets allow, and says what they do not', async () => {
  await kubectl('create', 'deployment', 'kept', '--image=nginx:1', '--replicas=2')
  await kubectl('rollout', 'status', 'deployment/kept')
  await kubectl('create', 'poddisruptionbudget', 'kept', '--selector=app=kept', '--min-available=2')
  await eventually('the budget has counted', () => kubectl('get', 'pdb', 'kept', '-o', 'jsonpath={.status.currentHealthy}/{.status.disruptionsAllowed}'), (text) => text === '2/0')
  expect(await kubectl('get', 'pdb', 'kept', '--no-headers')).toMatch(/^kept +2 +N\/A +0 +/)
  const refused = await kubectl('drain', 'n1', '--pod-selector=app=kept', '--timeout=2s').catch((error: unknown) => (error as Error).message)
  expect(refused).toContain("Cannot evict pod as it would violate the pod's disruption budget.")
  await kubectl('patch', 'pdb', 'kept', '--type=merge', '-p', '{"spec":{"minAvailable":1}}')
  expect(await kubectl('drain', 'n1', '--pod-selector=app=kept', '--timeout=50s')).toContain('node/n1 drained')
  await kubectl('uncordon', 'n1')
  await kubectl('delete', 'deployment/kept', 'pdb/kept')
})
