import type { Pod } from '@berth/api/types/core/v1'
import { core } from '@berth/api'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster

beforeAll(async () => { cluster = await startCluster() })
afterEach(() => cluster.clear())
afterAll(() => cluster.stop())

const condition = (pod: Pod, type: string) => pod.status?.conditions?.find((c) => c.type === type)
const onNode = (name: string): Promise<Pod> => eventually(`${name} runs on a node`, () => cluster.pod(name), (pod) => pod.status?.phase === 'Running')
const refused = (name: string): Promise<Pod> => eventually(`${name} is unschedulable`, () => cluster.pod(name), (pod) => condition(pod, 'PodScheduled')?.reason === 'Unschedulable')
const nominated = (name: string): Promise<Pod> => eventually(`${name} is nominated`, () => cluster.pod(name), (pod) => Boolean(pod.status?.nominatedNodeName))
const leaving = (name: string): Promise<Pod> => eventually(`${name} is going`, () => cluster.pod(name), (pod) => Boolean(pod.metadata.deletionTimestamp))
const names = async (): Promise<string[]> => (await cluster.client.list(core.pods, { namespace: 'default' })).items.map((pod) => pod.metadata.name).sort()

async function place(name: string, cpu: string, priorityClassName: string): Promise<void> {
  await cluster.createPod(name, cpu, { priorityClassName })
  await onNode(name)
}

test('a pod of higher priority gets the room of the fewest that have to go', async () => {
  await cluster.addNode('n', { cpu: '3', memory: '1Gi' })
  await place('low-1', '1', 'low')
  await place('low-2', '1', 'low')
  await place('middle', '1', 'middle')
  cluster.kubeletPaused = true
  const { metadata: { uid } } = await cluster.createPod('urgent', '2', { priorityClassName: 'high' })

  const waiting = await nominated('urgent')
  expect([waiting.status?.nominatedNodeName, condition(waiting, 'PodScheduled')?.message]).toEqual(['n', '0/1 nodes are available: 1 Insufficient cpu.'])
  for (const name of ['low-1', 'low-2']) {
    expect(condition(await leaving(name), 'DisruptionTarget')).toMatchObject({ status: 'True', reason: 'PreemptionByScheduler', message: 'default-scheduler: preempting to accommodate a higher priority pod' })
    const [event] = await eventually('the victim has its event', () => cluster.events(name, 'Preempted'), (events) => events.length > 0)
    expect([event?.message, event?.type]).toEqual([`Preempted by pod ${uid} on node n`, 'Normal'])
  }
  expect((await cluster.pod('middle')).metadata.deletionTimestamp).toBeUndefined()

  cluster.kubeletPaused = false
  const placed = await onNode('urgent')
  expect([placed.spec.nodeName, placed.status?.nominatedNodeName]).toEqual(['n', undefined])
  expect(await names()).toEqual(['middle', 'urgent'])
})

test('the room that was made is kept from pods of lower priority, and is theirs once it turns out that it does not help', async () => {
  await cluster.addNode('n', { cpu: '3', memory: '1Gi' })
  await place('victim', '2', 'low')
  cluster.kubeletPaused = true
  await cluster.createPod('urgent', '3', { priorityClassName: 'high' })
  await leaving('victim')
  await nominated('urgent')
  // Nobody asked the scheduler about this one; because of it the urgent pod does not fit even when the victim is gone.
  await cluster.client.create(core.pods, { metadata: { name: 'foreign', namespace: 'default' }, spec: { nodeName: 'n', priority: 1000, priorityClassName: 'high', containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '100m' } } }] } })
  await cluster.createPod('lower', '1', { priorityClassName: 'middle' })
  // There is a cpu free, but it is the urgent pod's.
  expect(condition(await refused('lower'), 'PodScheduled')?.message).toBe('0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Insufficient cpu.')
  cluster.kubeletPaused = false
  await eventually('the victim is gone', names, (all) => !all.includes('victim'))
  await eventually('the urgent pod has looked again', () => cluster.pod('urgent'), (pod) => condition(pod, 'PodScheduled')?.message?.includes('No preemption victims found') ?? false)
  expect((await onNode('lower')).spec.nodeName).toBe('n')
  expect((await cluster.pod('urgent')).status?.nominatedNodeName).toBeUndefined()
})

test('a nomination ends with its pod: another one takes the room, also before the victim is gone', async () => {
  await cluster.addNode('n', { cpu: '3', memory: '1Gi' })
  await place('victim', '2', 'low')
  cluster.kubeletPaused = true
  await cluster.createPod('urgent', '3', { priorityClassName: 'high' })
  await leaving('victim')
  await nominated('urgent')
  await cluster.createPod('lower', '1', { priorityClassName: 'middle' })
  await refused('lower')
  await cluster.client.delete(core.pods, 'urgent', { namespace: 'default' })
  expect((await onNode('lower')).spec.nodeName).toBe('n')
  expect(await names()).toEqual(['lower', 'victim'])
})

test('a pod that may not preempt says so, and takes no one\'s room', async () => {
  await cluster.addNode('n', { cpu: '1', memory: '1Gi' })
  await place('low', '1', 'low')
  await cluster.createPod('polite', '1', { priorityClassName: 'polite' })
  expect(condition(await refused('polite'), 'PodScheduled')?.message).toBe('0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.')
  expect([(await cluster.pod('low')).metadata.deletionTimestamp, await names()]).toEqual([undefined, ['low', 'polite']])
})

test('pods of the same priority do not preempt each other', async () => {
  await cluster.addNode('n', { cpu: '1', memory: '1Gi' })
  await place('first', '1', 'high')
  await cluster.createPod('second', '1', { priorityClassName: 'high' })
  expect(condition(await refused('second'), 'PodScheduled')?.message).toBe('0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.')
  expect(await names()).toEqual(['first', 'second'])
})

test('while its victims are being told, a pod does not look for others', async () => {
  await cluster.addNode('n', { cpu: '2', memory: '1Gi' })
  await place('first', '1', 'low')
  await place('second', '1', 'low')
  let tell = (): void => undefined
  const told = new Promise<void>((resolve) => { tell = resolve })
  const deletions: string[] = []
  cluster.onRequest = (request) => {
    if (!request.startsWith('DELETE')) return undefined
    deletions.push(request.replace(/^.*\//, ''))
    return request.includes('/second') ? told : undefined
  }
  await cluster.createPod('urgent', '2', { priorityClassName: 'high' })
  await eventually('the first victim is gone', names, (all) => !all.includes('first'))
  await eventually('the pod is kept back', () => cluster.scheduler.loop.metrics(), (text) => text.includes('scheduler_pending_pods{queue="gated"} 1'))
  tell()
  expect((await onNode('urgent')).spec.nodeName).toBe('n')
  expect(deletions.sort()).toEqual(['first', 'second'])
})

test('a victim that could not be deleted is tried again', async () => {
  await cluster.addNode('n', { cpu: '1', memory: '1Gi' })
  await place('victim', '1', 'low')
  let deletions = 0
  cluster.onRequest = (request) => {
    if (!request.startsWith('DELETE') || deletions++ > 0) return undefined
    throw new Error('the connection is gone')
  }
  await cluster.createPod('urgent', '1', { priorityClassName: 'high' })
  expect((await onNode('urgent')).spec.nodeName).toBe('n')
  expect(deletions).toBe(2)
})
