import type { Pod } from '@berth/api/types/core/v1'
import { core } from '@berth/api'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster

beforeAll(async () => { cluster = await startCluster() })
afterEach(() => cluster.clear())
afterAll(() => cluster.stop())

const scheduledCondition = (pod: Pod) => pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
const onNode = (name: string): Promise<Pod> => eventually(`${name} has a node`, () => cluster.pod(name), (pod) => Boolean(pod.spec.nodeName))
const refused = (name: string): Promise<Pod> => eventually(`${name} is unschedulable`, () => cluster.pod(name), (pod) => scheduledCondition(pod)?.reason === 'Unschedulable')

test('a pod is bound to the node that has room, with an event that says so', async () => {
  await cluster.addNode('small', { cpu: '500m', memory: '1Gi' })
  await cluster.addNode('large', { cpu: '2', memory: '1Gi' })
  await cluster.createPod('a', '1')
  expect((await onNode('a')).spec.nodeName).toBe('large')
  const [event] = await eventually('the event is there', () => cluster.events('a', 'Scheduled'), (events) => events.length > 0)
  expect([event?.message, event?.type, event?.source?.component]).toEqual(['Successfully assigned default/a to large', 'Normal', 'default-scheduler'])
})

test('a pod that fits nowhere says why in its condition and an event, and is placed when a node comes that has room', async () => {
  await cluster.addNode('small', { cpu: '500m', memory: '1Gi' })
  await cluster.createPod('a', '1')
  const message = '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
  expect(scheduledCondition(await refused('a'))).toMatchObject({ status: 'False', reason: 'Unschedulable', message })
  const [event] = await eventually('the event is there', () => cluster.events('a', 'FailedScheduling'), (events) => events.length > 0)
  expect([event?.message, event?.type]).toEqual([message, 'Warning'])
  await cluster.addNode('large', { cpu: '2', memory: '1Gi' })
  expect((await onNode('a')).spec.nodeName).toBe('large')
})

test('a gated pod waits until its last gate is gone', async () => {
  await cluster.addNode('n', { cpu: '2', memory: '1Gi' })
  await cluster.createPod('gated', '1', { schedulingGates: [{ name: 'example.com/wait' }] })
  await cluster.createPod('free', '1')
  await onNode('free')
  const gated = await cluster.pod('gated')
  expect([gated.spec.nodeName, scheduledCondition(gated)?.reason]).toEqual([undefined, 'SchedulingGated'])
  await cluster.client.patch(core.pods, 'gated', { type: 'json', body: [{ op: 'remove', path: '/spec/schedulingGates' }] }, { namespace: 'default' })
  expect((await onNode('gated')).spec.nodeName).toBe('n')
})

test('a binding that gets lost is tried again, and what it held is given to nobody twice', async () => {
  await cluster.addNode('n', { cpu: '2', memory: '1Gi' })
  let lost = 0
  cluster.onRequest = (request) => {
    if (!request.startsWith('POST') || !request.includes('/binding') || lost++ > 0) return undefined
    throw new Error('the connection is gone')
  }
  for (const name of ['a', 'b', 'c']) await cluster.createPod(name, '1')
  const pods = await eventually('two are placed and one is refused', () => Promise.all(['a', 'b', 'c'].map((name) => cluster.pod(name))), (all) => all.filter((pod) => pod.spec.nodeName).length >= 2
    && all.every((pod) => pod.spec.nodeName ?? scheduledCondition(pod)?.reason === 'Unschedulable'))
  expect([lost > 1, pods.filter((pod) => pod.spec.nodeName).length]).toEqual([true, 2])
  const failed = await eventually('the failure is told', async () => (await Promise.all(['a', 'b', 'c'].map((name) => cluster.events(name, 'FailedScheduling')))).flat(), (events) => events.some((e) => e.message?.startsWith('running Bind plugin')))
  expect(failed.map((e) => e.message)).toContain('running Bind plugin "DefaultBinder": the connection is gone')
})

test('a pod that is deleted leaves its room to the one that waits', async () => {
  await cluster.addNode('n', { cpu: '1', memory: '1Gi' })
  await cluster.createPod('a', '1')
  await onNode('a')
  await cluster.createPod('b', '1')
  await refused('b')
  await cluster.client.delete(core.pods, 'a', { namespace: 'default' })
  expect((await onNode('b')).spec.nodeName).toBe('n')
})
