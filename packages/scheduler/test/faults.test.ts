import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { startApiServer, type ApiServer } from '@berth/apiserver'
import { createClient, createInformers, isConflict, isNotFound, parseQuantity, silentLogger, systemClock, type Clock, type KubeClient } from '@berth/kube'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { schedulerConfigOf, startScheduler, type Scheduler } from '../src/index.ts'
import { eventually } from './cluster.ts'
import { faultyTransport, type FaultyTransport } from './faulty-transport.ts'

// A real API server behind a connection on which things go wrong. Whatever does: no pod is bound twice, none is lost, no node is given more than it has.

const namespace = 'default'
const config = { ...schedulerConfigOf({}), podInitialBackoffMs: 20, podMaxBackoffMs: 100 }
/** Upstream's informers wait up to half a minute between attempts: here it goes forty times as fast. */
const hurried: Clock = { now: () => systemClock.now(), setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms / 40) }

let directory: string
let server: ApiServer
let client: KubeClient
let transport: FaultyTransport
let scheduler: Scheduler
/** Bindings as the server took them: pod's uid → nodes. */
let bound: Map<string, string[]>

const isBinding = (path: string, pod = ''): boolean => path.replace(/\?.*/, '').endsWith(`${pod}/binding`)

async function start(onThread = false): Promise<void> {
  const inner = server.clientFor({ name: 'system:kube-scheduler', groups: ['system:authenticated'] })
  const own = faultyTransport({
    close: () => inner.close(),
    async request(request) {
      const response = await inner.request(request)
      if (request.method !== 'POST' || !isBinding(request.path) || response.status !== 201) return response
      const binding = JSON.parse(typeof request.body === 'string' ? request.body : Buffer.from(request.body ?? '').toString()) as { metadata: { name: string; uid: string }; target: { name: string } }
      bound.set(binding.metadata.uid, [...bound.get(binding.metadata.uid) ?? [], binding.target.name])
      return response
    },
  })
  const kube = createClient(own, { fieldManager: 'kube-scheduler' })
  transport = own
  scheduler = await startScheduler({ client: kube, config, logger: silentLogger(), informers: createInformers(kube, { clock: hurried }), ...(onThread ? { thread: { verbosity: 0, onDied: (error) => { throw error } } } : {}) })
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-faults-'))
  server = await startApiServer({ dataDir: directory, storage: 'memory', bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: 0, logger: silentLogger() })
  await server.whenReady()
  client = createClient(server.loopback, { fieldManager: 'test' })
  await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace } })
})
beforeEach(async () => {
  bound = new Map()
  await start()
})
afterEach(async () => {
  vi.restoreAllMocks()
  transport.down = false
  transport.fault = () => 'none'
  await scheduler.stop()
  await client.deleteCollection(core.pods, { namespace, gracePeriodSeconds: 0 })
  await client.deleteCollection(core.nodes)
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

async function addNode(name: string, cpu = '2'): Promise<void> {
  await client.create(core.nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: {} })
  const amounts = { cpu, memory: '8Gi', pods: '110' }
  await client.patch(core.nodes, name, { type: 'merge', body: { status: { capacity: amounts, allocatable: amounts } } }, { subresource: 'status' })
  await client.patch(core.nodes, name, { type: 'merge', body: { spec: { taints: null } } })
}

const addPod = (name: string, cpu = '500m'): Promise<Pod> => client.create(core.pods, { metadata: { name, namespace }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] } })
const podsOf = async (): Promise<Pod[]> => (await client.list(core.pods, { namespace })).items
const names = (count: number, prefix = 'p'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** All of them have a node, no pod was bound twice, and no node has more than it can give. */
async function allPlaced(count: number): Promise<Pod[]> {
  const pods = await eventually(`${count} pods have a node`, podsOf, (all) => all.filter(({ spec }) => spec.nodeName).length >= count)
  expect([bound.size > 0, [...bound].filter(([, nodes]) => nodes.length > 1)]).toEqual([true, []])
  await nobodyHasTooMuch(pods)
  return pods
}

async function nobodyHasTooMuch(pods: readonly Pod[]): Promise<void> {
  const { items: nodes } = await client.list(core.nodes)
  const given = Object.fromEntries(nodes.map(({ metadata: { name }, status }) => {
    const used = pods.filter(({ spec }) => spec.nodeName === name).reduce((sum, { spec }) => sum + parseQuantity(spec.containers[0]?.resources?.requests?.cpu ?? '0').milliValue(), 0n)
    return [name, used <= parseQuantity(status?.allocatable?.['cpu'] ?? '0').milliValue()]
  }))
  expect(given).toEqual(Object.fromEntries(nodes.map(({ metadata: { name } }) => [name, true])))
}

test('the API server is gone for a while: who waited, who came meanwhile and who was on the way are placed when it is back', async () => {
  for (const name of names(3, 'n')) await addNode(name)
  for (const name of names(4)) await addPod(name)
  transport.down = true
  for (const name of names(4, 'q')) await addPod(name)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect((await podsOf()).length).toBe(8)
  transport.down = false
  await allPlaced(8)
  expect(await podsOf()).toHaveLength(8)
})

test('what changed while the API server was gone is seen when it is back: nodes that went, pods that others placed or took away', async () => {
  for (const name of names(3, 'n')) await addNode(name)
  for (const name of names(6)) await addPod(name)
  const before = await allPlaced(6)
  transport.down = true
  await client.delete(core.nodes, 'n0')
  for (const { metadata, spec } of before) if (spec.nodeName === 'n0') await client.delete(core.pods, metadata.name, { namespace, gracePeriodSeconds: 0 })
  const others = await addPod('other', '1')
  await client.createSubresource(core.pods, 'other', 'binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'other', namespace, uid: others.metadata.uid }, target: { apiVersion: 'v1', kind: 'Node', name: 'n1' } }, { namespace })
  for (const name of names(4, 'q')) await addPod(name, '1')
  transport.down = false
  // n1 and n2 have four cores: what is free beside the six that were there is for as many of the new ones as fit.
  const free = 4 - 1 - before.filter(({ spec }) => spec.nodeName !== 'n0').length / 2
  const pods = await eventually('what fits is placed', podsOf, (all) => all.filter(({ metadata, spec }) => metadata.name.startsWith('q') && spec.nodeName).length >= Math.floor(free))
  // A pod that is heard of before its node's end may still be bound there, as kube-scheduler would: the garbage collector takes it away.
  await nobodyHasTooMuch(pods)
})

describe('every watch breaks off', () => {
  test.each([false, true].flatMap((inMiddle) => Array.from({ length: 7 }, (_, events) => [events, inMiddle] as const)))('after %i events, in the middle of one: %s', async (events, inMiddle) => {
    const cuts = new Map<string, number>()
    transport.cut = (path) => {
      const kind = path.replace(/\?.*/, '')
      const before = cuts.get(kind) ?? 0
      cuts.set(kind, before + 1)
      return before < 4 ? { events, inMiddle } : undefined
    }
    // Those that are open since the start are not asked about: they end here.
    transport.down = true
    transport.down = false
    for (const name of names(2, 'n')) await addNode(name)
    for (const name of names(4)) await addPod(name)
    await allPlaced(4)
    const [gone] = await podsOf()
    await client.delete(core.pods, gone?.metadata.name ?? '', { namespace, gracePeriodSeconds: 0 })
    for (const name of names(4, 'q')) await addPod(name)
    await allPlaced(7)
    expect(transport.broken).toBeGreaterThan(0)
  })
})

describe('binding', () => {
  test('is refused as a conflict once for each pod: each is placed at the next attempt', async () => {
    const seen = new Set<string>()
    transport.fault = (request) => {
      if (!isBinding(request) || seen.has(request)) return 'none'
      seen.add(request)
      return { status: 409, reason: 'Conflict', message: 'Operation cannot be fulfilled' }
    }
    for (const name of names(2, 'n')) await addNode(name)
    for (const name of names(8)) await addPod(name)
    await allPlaced(8)
    expect(seen.size).toBe(8)
  })

  test('finds that somebody else was faster: the pod stays there, and what was meant for it is another\'s', async () => {
    await addNode('n0', '1')
    await addNode('n1', '1')
    transport.fault = (request) => isBinding(request, 'p0') ? 'lost' : 'none'
    const pod = await addPod('p0', '1')
    await client.createSubresource(core.pods, 'p0', 'binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p0', namespace, uid: pod.metadata.uid }, target: { apiVersion: 'v1', kind: 'Node', name: 'n1' } }, { namespace })
    await addPod('p1', '1')
    const pods = await allPlaced(2)
    expect(Object.fromEntries(pods.map(({ metadata, spec }) => [metadata.name, spec.nodeName]))).toEqual({ p0: 'n1', p1: 'n0' })
  })

  test('finds the pod gone: its room is another\'s', async () => {
    transport.fault = (request) => isBinding(request, 'p0') ? { status: 404, reason: 'NotFound', message: 'pods "p0" not found' } : 'none'
    await addNode('n0', '1')
    await addPod('p0', '1')
    await new Promise((resolve) => setTimeout(resolve, 100))
    await client.delete(core.pods, 'p0', { namespace, gracePeriodSeconds: 0 })
    await addPod('p1', '1')
    expect((await allPlaced(1)).map(({ metadata }) => metadata.name)).toEqual(['p1'])
  })

  test('is done, and the answer gets lost: the pod counts where it is, and nobody is bound twice', async () => {
    const seen = new Set<string>()
    transport.fault = (request) => {
      if (!isBinding(request) || seen.has(request)) return 'none'
      seen.add(request)
      return 'answer-lost'
    }
    for (const name of names(2, 'n')) await addNode(name)
    for (const name of names(10)) await addPod(name)
    const pods = await eventually('eight are placed and two wait', podsOf, (all) => all.filter(({ spec }) => spec.nodeName).length === 8
      && all.filter(({ status }) => status?.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'Unschedulable')).length === 2)
    expect([...bound.values()].filter((nodes) => nodes.length !== 1)).toEqual([])
    await nobodyHasTooMuch(pods)
  })

  test('fails for a while with 500, and every other request of the scheduler with it: all are placed in the end', async () => {
    let failing = true
    transport.fault = (request) => failing && !request.startsWith('GET') ? { status: 500, reason: 'InternalError', message: 'etcdserver: request timed out' } : 'none'
    for (const name of names(2, 'n')) await addNode(name)
    for (const name of names(8)) await addPod(name)
    await new Promise((resolve) => setTimeout(resolve, 500))
    failing = false
    await allPlaced(8)
  })
})

describe('the clock', () => {
  test.each([['forward', 3_600_000], ['back', -3_600_000]])('jumps an hour %s while pods wait out their back-off: none is stuck', async (_, by) => {
    let offset = 0
    const now = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => now.call(Date) + offset)
    let failing = true
    transport.fault = (request) => failing && isBinding(request) ? { status: 500, reason: 'InternalError', message: 'no' } : 'none'
    await addNode('n0')
    for (const name of names(4)) await addPod(name)
    await new Promise((resolve) => setTimeout(resolve, 200))
    offset = by
    failing = false
    // eventually() reads the clock as well: it is asked for as long as the jump leaves.
    await vi.waitFor(async () => expect((await podsOf()).filter(({ spec }) => spec.nodeName)).toHaveLength(4), { timeout: 15_000, interval: 25 })
    offset = 0
  })
})

test('a scheduler that decides on a thread of its own comes through the same: the API server gone, watches cut, answers lost', async () => {
  await scheduler.stop()
  await start(true)
  const seen = new Set<string>()
  transport.cut = () => transport.broken < 30 ? { events: 3, inMiddle: true } : undefined
  transport.fault = (request) => {
    if (!isBinding(request) || seen.has(request)) return 'none'
    seen.add(request)
    return 'answer-lost'
  }
  for (const name of names(3, 'n')) await addNode(name)
  for (const name of names(4)) await addPod(name)
  transport.down = true
  for (const name of names(4, 'q')) await addPod(name)
  await new Promise((resolve) => setTimeout(resolve, 500))
  transport.down = false
  await allPlaced(8)
  expect([seen.size, [...bound.values()].filter((nodes) => nodes.length !== 1)]).toEqual([8, []])
})

test('nodes flap: they come, go, are tainted and freed again, and in the end every pod is on a node that is there', async () => {
  for (const name of names(3, 'n')) await addNode(name)
  let flapping = true
  const flap = (async () => {
    for (let i = 0; flapping; i++) {
      const name = `n${i % 3}`
      const ignore = (error: unknown): void => { if (!isNotFound(error) && !isConflict(error)) throw error }
      await client.patch(core.nodes, name, { type: 'merge', body: { spec: { taints: [{ key: 'flap', effect: 'NoSchedule' }] } } }).catch(ignore)
      await client.patch(core.nodes, name, { type: 'merge', body: { spec: { unschedulable: i % 2 === 0 } } }).catch(ignore)
      if (i % 4 === 3) {
        await client.delete(core.nodes, name).catch(ignore)
        // What was on it goes with it, as the pod garbage collector has it.
        for (const { metadata, spec } of await podsOf()) if (spec.nodeName === name) await client.delete(core.pods, metadata.name, { namespace, gracePeriodSeconds: 0 }).catch(ignore)
        await addNode(name).catch(ignore)
      }
      await client.patch(core.nodes, name, { type: 'merge', body: { spec: { taints: null, unschedulable: null } } }).catch(ignore)
    }
  })()
  for (const name of names(30)) {
    await addPod(name, '100m')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  flapping = false
  await flap
  const pods = await eventually('every pod has a node', podsOf, (all) => all.every(({ spec }) => spec.nodeName))
  const { items: nodes } = await client.list(core.nodes)
  expect([...bound.values()].filter((on) => on.length > 1)).toEqual([])
  expect([nodes.length, pods.every(({ spec }) => nodes.some(({ metadata }) => metadata.name === spec.nodeName))]).toEqual([3, true])
  await nobodyHasTooMuch(pods)
})

test('the scheduler is stopped and another one started while pods come: nothing is given twice', async () => {
  for (const name of names(3, 'n')) await addNode(name)
  const adding = (async () => { for (const name of names(12)) await addPod(name) })()
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 15))
    await scheduler.stop()
    await start()
  }
  await adding
  await allPlaced(12)
})
