import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

const kubectl = (args: string, input = ''): Promise<string> => runKubectl(config, args.split(' '), input)

const workload = (kind: string, name: string, more: object): string => JSON.stringify({
  apiVersion: 'apps/v1', kind, metadata: { name }, spec: { ...more, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } } },
})

describe.skipIf(!hasKubectl)('rollouts of other kinds', () => {
  test('kubectl rollout status, rollout history, rollout undo: of a StatefulSet, from its ControllerRevisions', async () => {
    await kubectl('create -f -', workload('StatefulSet', 'db', { replicas: 2, serviceName: 'db' }))
    expect(await kubectl('rollout status statefulset/db --timeout=50s')).toContain('partitioned roll out complete: 2 new pods have been updated...\n')
    await kubectl('set image statefulset/db c=i:2')
    expect(await kubectl('rollout status statefulset/db --timeout=50s')).toContain('partitioned roll out complete: 2 new pods have been updated...\n')
    expect(await kubectl('rollout history statefulset/db')).toBe('statefulset.apps/db \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n')
    expect(await kubectl('rollout history statefulset/db --revision=1')).toMatch(/^ {4}Image:\s+i:1$/m)
    expect(await kubectl('rollout undo statefulset/db')).toBe('statefulset.apps/db rolled back\n')
    await kubectl('rollout status statefulset/db --timeout=50s')
    await eventually('both pods are as before', () => kubectl('get pods -l app=db -o jsonpath={.items[*].spec.containers[0].image}'), (text) => text === 'i:1 i:1')
  })

  test('kubectl rollout status, rollout history, rollout undo, rollout restart: of a DaemonSet', async () => {
    await kubectl('create -f -', workload('DaemonSet', 'agent', {}))
    expect(await kubectl('rollout status daemonset/agent --timeout=50s')).toContain('daemon set "agent" successfully rolled out\n')
    await kubectl('set image daemonset/agent c=i:2')
    await kubectl('rollout status daemonset/agent --timeout=50s')
    expect(await kubectl('rollout undo daemonset/agent --to-revision=1')).toBe('daemonset.apps/agent rolled back\n')
    await kubectl('rollout status daemonset/agent --timeout=50s')
    expect(await kubectl('rollout history daemonset/agent')).toBe('daemonset.apps/agent \nREVISION  CHANGE-CAUSE\n2         <none>\n3         <none>\n\n')
    expect(await kubectl('rollout restart daemonset/agent')).toBe('daemonset.apps/agent restarted\n')
    await kubectl('rollout status daemonset/agent --timeout=50s')
    expect(await kubectl('get daemonset agent -o jsonpath={.spec.template.metadata.annotations}')).toContain('kubectl.kubernetes.io/restartedAt')
    expect(await kubectl('get pods -l app=agent -o jsonpath={.items[*].spec.containers[0].image}')).toBe('i:1')
  })

  test('kubectl rollout pause, rollout resume: once each, and only where there is a pause', async () => {
    await kubectl('create deployment web --image=i:1')
    await kubectl('rollout pause deployment/web')
    await expect(kubectl('rollout pause deployment/web')).rejects.toThrow('error: deployments.apps "web" is already paused')
    await expect(kubectl('rollout undo deployment/web')).rejects.toThrow(/cannot rollback a paused deployment|no rollout history found/)
    await kubectl('rollout resume deployment/web')
    await expect(kubectl('rollout resume deployment/web')).rejects.toThrow('error: deployments.apps "web" is not paused')
    await expect(kubectl('rollout pause daemonset/agent')).rejects.toThrow('pausing is not supported')
    expect(await kubectl('rollout status deployment/web --timeout=50s')).toContain('deployment "web" successfully rolled out')
  })
})
