import { scheduling } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'
import { findKubeScheduler, startKubeScheduler } from './kube-scheduler.ts'

const binary = findKubeScheduler()
let cluster: TestCluster
let scheduler: Awaited<ReturnType<typeof startKubeScheduler>> | undefined

beforeAll(async () => {
  cluster = await startCluster()
  await cluster.client.create(scheduling.priorityclasses, { metadata: { name: 'high' }, value: 1000 })
})
afterEach(async () => {
  await scheduler?.stop()
  scheduler = undefined
  await cluster.clear()
})
afterAll(() => cluster.stop())

const placed = (name: string): Promise<Pod> => eventually(`${name} has a node`, () => cluster.pod(name), ({ spec }) => Boolean(spec.nodeName))
const refused = (name: string): Promise<Pod> => eventually(`${name} is unschedulable`, () => cluster.pod(name), ({ status }) => status?.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'Unschedulable') ?? false)

if (!binary) test('there is no kube-scheduler in $KUBEBUILDER_ASSETS, /usr/local/kubebuilder/bin or PATH: it cannot be the client', (context) => context.skip())

describe.skipIf(!binary).each([['names', true], ['whole nodes', false]] as const)('a stock kube-scheduler that sends %s', (_, nodeCacheCapable) => {
  const start = async (port: number, more: Record<string, unknown>): Promise<void> => {
    scheduler = await startKubeScheduler(binary ?? '', cluster, [{ urlPrefix: `http://127.0.0.1:${port}/scheduler`, nodeCacheCapable, ...more }])
  }

  test('never overcommits a link: filter and bind', async () => {
    for (const name of ['a', 'b']) await cluster.addNode(name, { annotations: { 'berth.dev/link-speed': '1G' } })
    const { port, metrics } = await cluster.extender({ plugins: [{ name: 'NetworkBandwidth' }] })
    await start(port, { filterVerb: 'filter', bindVerb: 'bind' })
    const annotations = { 'kubernetes.io/ingress-bandwidth': '400M' }
    const names = ['p1', 'p2', 'p3', 'p4', 'p5']
    for (const name of names) await cluster.addPod(name, { annotations })
    const pods = await eventually('four are placed and one is refused', () => Promise.all(names.map((name) => cluster.pod(name))), (all) =>
      all.filter(({ spec }) => spec.nodeName).length === 4 && all.some(({ status }) => status?.conditions?.some((c) => c.reason === 'Unschedulable')))
    expect(['a', 'b'].map((node) => pods.filter(({ spec }) => spec.nodeName === node).length)).toEqual([2, 2])
    expect(pods.find(({ spec }) => !spec.nodeName)?.status?.conditions?.[0]?.message).toMatch(/^0\/2 nodes are available: 2 Insufficient ingress bandwidth\./)
    expect(await metrics.registry.metrics()).toMatch(/berth_extender_requests_total\{verb="bind",result="ok"\} [4-9]/)
  })

  test('takes Berth\'s score: Swarm\'s binpack outweighs what it prefers itself', async () => {
    for (const name of ['a', 'b', 'c']) await cluster.addNode(name)
    await cluster.addPod('seed', { node: 'b', cpu: '1' })
    const { port } = await cluster.extender({ plugins: [{ name: 'SwarmBinpack' }] })
    await start(port, { prioritizeVerb: 'prioritize', weight: 20 })
    for (const name of ['p1', 'p2']) {
      await cluster.addPod(name, { cpu: '500m' })
      expect((await placed(name)).spec.nodeName).toBe('b')
    }
  })

  test('preempts where Berth\'s plugins say that it helps', async () => {
    await cluster.addNode('fast', { annotations: { 'berth.dev/link-speed': '10G' } })
    await cluster.addNode('slow', { annotations: { 'berth.dev/link-speed': '100M' } })
    for (const node of ['fast', 'slow']) await cluster.addPod(`victim-${node}`, { node, cpu: '4' })
    const { port } = await cluster.extender({ plugins: [{ name: 'NetworkBandwidth' }] })
    await start(port, { filterVerb: 'filter', preemptVerb: 'preempt' })
    await cluster.addPod('important', { cpu: '2', annotations: { 'kubernetes.io/ingress-bandwidth': '1G' }, spec: { priorityClassName: 'high' } })
    const pod = await eventually('a node is nominated', () => cluster.pod('important'), ({ status }) => Boolean(status?.nominatedNodeName))
    expect(pod.status?.nominatedNodeName).toBe('fast')
  })

  test('tells Berth\'s reason where nothing fits', async () => {
    await cluster.addNode('a')
    const { port } = await cluster.extender({ plugins: [{ name: 'NetworkBandwidth' }] })
    await start(port, { filterVerb: 'filter' })
    await cluster.addPod('p', { annotations: { 'kubernetes.io/egress-bandwidth': '1M' } })
    expect((await refused('p')).status?.conditions?.[0]?.message).toMatch(/^0\/1 nodes are available: 1 node\(s\) announced no egress bandwidth\./)
  })
})
