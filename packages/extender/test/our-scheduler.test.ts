import { core, scheduling } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { createClient, silentLogger } from '@berth/kube'
import { schedulerConfigOf, startScheduler, type Scheduler } from '@berth/scheduler'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let scheduler: Scheduler | undefined

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
const conditionOf = (pod: Pod) => pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
const refused = (name: string, reason = 'Unschedulable'): Promise<Pod> => eventually(`${name} is refused`, () => cluster.pod(name), (pod) => conditionOf(pod)?.reason === reason)

async function start(extender: Record<string, unknown>): Promise<void> {
  const config = { ...schedulerConfigOf({ extenders: [{ httpTimeout: '2s', ...extender }] }), podInitialBackoffMs: 50, podMaxBackoffMs: 200 }
  scheduler = await startScheduler({ client: createClient(cluster.server.clientFor({ name: 'system:kube-scheduler', groups: ['system:authenticated'] })), config, logger: silentLogger() })
}

describe.each([['names', true], ['whole nodes', false]] as const)('our scheduler sends our extender %s, and', (_, nodeCacheCapable) => {
  const at = (port: number, more: Record<string, unknown>) => start({ urlPrefix: `http://127.0.0.1:${port}/scheduler`, nodeCacheCapable, ...more })

  test('no link is overcommitted: filter and bind', async () => {
    for (const name of ['a', 'b']) await cluster.addNode(name, { annotations: { 'berth.dev/link-speed': '1G' } })
    const { port, metrics } = await cluster.extender({ plugins: [{ name: 'NetworkBandwidth' }] })
    await at(port, { filterVerb: 'filter', bindVerb: 'bind' })
    const names = ['p1', 'p2', 'p3', 'p4', 'p5']
    for (const name of names) await cluster.addPod(name, { annotations: { 'kubernetes.io/ingress-bandwidth': '400M' } })
    const pods = await eventually('four are placed and one is refused', () => Promise.all(names.map((name) => cluster.pod(name))), (all) =>
      all.filter(({ spec }) => spec.nodeName).length === 4 && all.some((pod) => conditionOf(pod)?.reason === 'Unschedulable'))
    expect(['a', 'b'].map((node) => pods.filter(({ spec }) => spec.nodeName === node).length)).toEqual([2, 2])
    expect(await metrics.registry.metrics()).toMatch(/berth_extender_requests_total\{verb="bind",result="ok"\} [4-9]/)
    // Extenders name no events: whatever happens, the one that waits is tried again.
    const leaving = pods.find(({ spec }) => spec.nodeName)
    await cluster.client.delete(core.pods, leaving?.metadata.name ?? '', { namespace: 'default', gracePeriodSeconds: 0 })
    const last = pods.find(({ spec }) => !spec.nodeName)
    expect((await placed(last?.metadata.name ?? '')).spec.nodeName).toBe(leaving?.spec.nodeName)
  })

  test('what it prefers is weighed against the scheduler\'s own scores', async () => {
    for (const name of ['a', 'b', 'c']) await cluster.addNode(name)
    await cluster.addPod('seed', { node: 'b', cpu: '1' })
    const { port } = await cluster.extender({ plugins: [{ name: 'SwarmBinpack' }] })
    await at(port, { prioritizeVerb: 'prioritize', weight: 20 })
    for (const name of ['p1', 'p2']) {
      await cluster.addPod(name, { cpu: '500m' })
      expect((await placed(name)).spec.nodeName).toBe('b')
    }
  })

  test('room is made where both agree that it helps', async () => {
    await cluster.addNode('fast', { annotations: { 'berth.dev/link-speed': '10G' } })
    await cluster.addNode('slow', { annotations: { 'berth.dev/link-speed': '100M' } })
    for (const node of ['fast', 'slow']) await cluster.addPod(`victim-${node}`, { node, cpu: '4' })
    const { port } = await cluster.extender({ plugins: [{ name: 'NetworkBandwidth' }] })
    await at(port, { filterVerb: 'filter', preemptVerb: 'preempt' })
    await cluster.addPod('important', { cpu: '2', annotations: { 'kubernetes.io/ingress-bandwidth': '1G' }, spec: { priorityClassName: 'high' } })
    const pod = await eventually('a node is nominated', () => cluster.pod('important'), ({ status }) => Boolean(status?.nominatedNodeName))
    expect(pod.status?.nominatedNodeName).toBe('fast')
  })

  test('nothing is bound twice or lost while many pods come at once', async () => {
    for (const name of ['a', 'b', 'c']) await cluster.addNode(name, { annotations: { 'berth.dev/link-speed': '10G' } })
    const { port } = await cluster.extender({ plugins: [{ name: 'NetworkBandwidth' }, { name: 'SwarmSpread' }] })
    await at(port, { filterVerb: 'filter', prioritizeVerb: 'prioritize', bindVerb: 'bind', weight: 10 })
    const names = Array.from({ length: 30 }, (_, i) => `p${i}`)
    await Promise.all(names.map((name) => cluster.addPod(name, { annotations: { 'kubernetes.io/egress-bandwidth': '1G' } })))
    const pods = await Promise.all(names.map(placed))
    expect(['a', 'b', 'c'].map((node) => pods.filter(({ spec }) => spec.nodeName === node).length)).toEqual([10, 10, 10])
  })
})

test('while the extender is down, pods wait with the error, and go on when it is there; pods that do not concern it are placed', async () => {
  await cluster.addNode('a', { allocatable: { 'example.com/licence': '5' } })
  const first = await cluster.extender({ plugins: [{ name: 'NodeAffinity' }] })
  await first.stop()
  await start({ urlPrefix: `http://127.0.0.1:${first.port}/scheduler`, filterVerb: 'filter', nodeCacheCapable: true, managedResources: [{ name: 'example.com/licence' }] })
  await cluster.addPod('concerned', { spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { 'example.com/licence': '1' }, limits: { 'example.com/licence': '1' } } }] } })
  await cluster.addPod('other')
  await placed('other')
  expect(conditionOf(await refused('concerned', 'SchedulerError'))?.message).toBe(`Post "http://127.0.0.1:${first.port}/scheduler/filter": dial tcp 127.0.0.1:${first.port}: connect: connection refused`)
  await cluster.extender({ plugins: [{ name: 'NodeAffinity' }], serving: { address: '127.0.0.1', port: first.port } })
  await placed('concerned')
})

test('a scheduler that decides on a thread of its own asks the extender from there', async () => {
  for (const name of ['a', 'b']) await cluster.addNode(name, { annotations: { 'berth.dev/link-speed': name === 'a' ? '1G' : '100M' } })
  const { port } = await cluster.extender({ plugins: [{ name: 'NetworkBandwidth' }] })
  const config = schedulerConfigOf({ extenders: [{ urlPrefix: `http://127.0.0.1:${port}`, filterVerb: 'filter', bindVerb: 'bind', nodeCacheCapable: true }] })
  const died: Error[] = []
  scheduler = await startScheduler({ client: createClient(cluster.server.clientFor({ name: 'system:kube-scheduler', groups: ['system:authenticated'] })), config, logger: silentLogger(), thread: { verbosity: 0, onDied: (error) => died.push(error) } })
  await cluster.addPod('p', { annotations: { 'kubernetes.io/ingress-bandwidth': '500M' } })
  expect([(await placed('p')).spec.nodeName, died]).toEqual(['a', []])
})
