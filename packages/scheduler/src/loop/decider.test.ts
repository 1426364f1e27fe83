import { afterEach, expect, test } from 'vitest'
import type { Pod } from '@berth/api/types/core/v1'
import { ApiError, createClient, fakeClock, silentLogger, type Clock, type KubeClient } from '@berth/kube'
import { schedulerConfigOf, type ConfigFile } from '../config/config.ts'
import { featureGates } from '../config/feature-gates.ts'
import type { KubernetesObject } from '../framework/resource-key.ts'
import { SchedulerMetrics } from '../metrics.ts'
import { Decider } from './decider.ts'
import type { FeedItem } from './feed-item.ts'
import type { Outcomes } from './outcomes.ts'

const deciders: Decider[] = []
afterEach(async () => {
  for (const decider of deciders.splice(0)) await decider.stop()
})

/** Lets the loop take its turns. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => { setImmediate(resolve) })
}

const client: KubeClient = createClient({ request: () => Promise.reject(new Error('nobody is asked here')), close: async () => undefined })

function world({ gates = {}, file = {}, clock = fakeClock(1_000_000) }: { gates?: Record<string, boolean>; file?: ConfigFile; clock?: Clock } = {}) {
  const bound = new Map<string, string>()
  const said: string[] = []
  const deleted: string[] = []
  let refuse: (pod: string) => Promise<void> | undefined = () => undefined
  const outcomes: Outcomes = {
    async bind({ namespace, name }, node) {
      await refuse(`${namespace}/${name}`)
      bound.set(name, node)
    },
    patchStatus: async () => undefined,
    async deletePod({ name }) { deleted.push(name) },
    event: ({ name }, _type, reason, message) => void said.push(`${name} ${reason}: ${message}`),
  }
  const config = schedulerConfigOf(file, featureGates(gates))
  const decider = new Decider({ config, client, outcomes, metrics: new SchedulerMetrics(), clock, logger: silentLogger(), random: () => 0 })
  deciders.push(decider)
  return {
    decider, bound, said, deleted, clock,
    set refuse(value: typeof refuse) { refuse = value },
    async feed(...items: FeedItem[]) {
      decider.offer(items)
      await turns()
    },
    async lead() {
      decider.offer([{ type: 'synced' }])
      decider.lead()
      await turns()
    },
  }
}

const node = (name: string, cpu: string): FeedItem => ({ type: 'node-set', node: { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: {}, status: { allocatable: { cpu, memory: '8Gi', pods: '110' } } } })
const podOf = (name: string, cpu: string, more: Partial<Pod['spec']> = {}, uid = name): Pod => ({ metadata: { name, namespace: 'default', uid }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], ...more } })
const pod = (...args: Parameters<typeof podOf>): FeedItem => ({ type: 'waiting', pod: podOf(...args) })
const gang = (name: string, minCount: number): FeedItem => ({ type: 'object-set', resource: 'podgroups.scheduling.k8s.io', object: { metadata: { name, namespace: 'default' }, spec: { schedulingPolicy: { gang: { minCount } } } } as KubernetesObject })
const member = (name: string, group: string, cpu = '1'): FeedItem => pod(name, cpu, { schedulingGroup: { podGroupName: group } })

test('nothing is decided before the cluster is known, nor before this scheduler leads', async () => {
  const { decider, feed, bound } = world()
  decider.lead()
  await feed(node('n', '1'), pod('a', '1'))
  expect(bound.size).toBe(0)
  await feed({ type: 'synced' })
  expect([...bound]).toEqual([['a', 'n']])
  const other = world()
  await other.feed(node('n', '1'), pod('a', '1'), { type: 'synced' })
  expect(other.bound.size).toBe(0)
})

test('a pod that vanishes while it is bound leaves its room at once, and its failure concerns nobody', async () => {
  const w = world()
  const { promise, reject } = Promise.withResolvers<void>()
  w.refuse = (name) => (name === 'default/a' ? promise : undefined)
  await w.feed(node('n', '1'), pod('a', '1'))
  await w.lead()
  await w.feed({ type: 'settled', key: 'default/a' }, { type: 'pod-gone', key: 'default/a' }, pod('b', '1'))
  expect([...w.bound]).toEqual([['b', 'n']])
  reject(new ApiError(404, { metadata: {}, code: 404, reason: 'NotFound', message: 'pods "a" not found' }))
  await turns()
  expect(w.said.filter((line) => line.startsWith('a '))).toEqual([])
  expect(w.decider.cache.placeOf('default/b')).toBe('n')
})

test('a pod that is made again under its name is another one: the old one\'s failure does not take its place', async () => {
  const w = world()
  const { promise, reject } = Promise.withResolvers<void>()
  let first = true
  w.refuse = () => {
    if (!first) return undefined
    first = false
    return promise
  }
  await w.feed(node('n', '1'), pod('a', '1', {}, 'old'))
  await w.lead()
  await w.feed({ type: 'settled', key: 'default/a' }, { type: 'pod-gone', key: 'default/a' }, pod('a', '1', {}, 'new'))
  expect([...w.bound]).toEqual([['a', 'n']])
  reject(new ApiError(409, { metadata: {}, code: 409, reason: 'Conflict', message: 'the UID in the precondition does not match' }))
  await turns()
  expect(w.decider.cache.placeOf('default/a')).toBe('n')
})

test('a binding that is refused gives the room back; the pod tries again after its back-off', async () => {
  const clock = fakeClock(1_000_000)
  const w = world({ clock })
  let fails = true
  w.refuse = () => (fails ? Promise.reject(new ApiError(409, { metadata: {}, code: 409, reason: 'Conflict', message: 'conflict' })) : undefined)
  await w.feed(node('n', '1'), pod('a', '1'))
  await w.lead()
  expect([w.bound.size, w.decider.cache.placeOf('default/a')]).toEqual([0, undefined])
  expect(w.said).toContain('a FailedScheduling: running Bind plugin "DefaultBinder": conflict')
  fails = false
  await clock.advance(2000)
  await turns()
  expect([...w.bound]).toEqual([['a', 'n']])
})

test('a node that goes while a pod is being bound to it takes no other', async () => {
  const w = world()
  await w.feed(node('n', '2'), pod('a', '1'))
  await w.lead()
  await w.feed({ type: 'node-gone', name: 'n' }, pod('b', '1'))
  expect([...w.bound]).toEqual([['a', 'n']])
  expect(w.said.at(-1)).toBe('b FailedScheduling: no nodes available to schedule pods')
})

test('a burst of node events is taken in slices: a decision does not wait for all of it', async () => {
  const w = world({ clock: { now: () => Date.now(), setTimeout: (fn, ms) => { const t = setTimeout(fn, ms); return { cancel: () => clearTimeout(t) } } } })
  await w.feed(node('big', '64'))
  await w.lead()
  w.decider.offer([pod('a', '1'), ...Array.from({ length: 20_000 }, (_, i) => node(`n${i % 200}`, String(1 + (i % 7))))])
  while (w.bound.size === 0) await new Promise((resolve) => { setImmediate(resolve) })
  expect(w.decider.backlog).toBeGreaterThan(0)
  while (w.decider.backlog > 0) await new Promise((resolve) => { setImmediate(resolve) })
  expect(w.decider.cache.nodes.length).toBe(201)
})

test('several profiles: each pod is decided on by the one it names, and by nobody where there is none', async () => {
  const w = world({ file: { profiles: [{ schedulerName: 'default-scheduler' }, { schedulerName: 'packs', pluginConfig: [{ name: 'NodeResourcesFit', args: { scoringStrategy: { type: 'MostAllocated' } } }], plugins: { score: { disabled: [{ name: '*' }], enabled: [{ name: 'NodeResourcesFit' }] } } }] } })
  await w.feed(node('empty', '8'), node('used', '8'), { type: 'pod-set', pod: podOf('there', '4', { nodeName: 'used' }) }, pod('spread', '1'), pod('packed', '1', { schedulerName: 'packs' }), pod('foreign', '1', { schedulerName: 'somebody-else' }))
  await w.lead()
  expect(Object.fromEntries(w.bound)).toEqual({ spread: 'empty', packed: 'used' })
})

const gangs = { GenericWorkload: true, GangScheduling: true }

test('a gang waits until enough of it are there, and then starts together', async () => {
  const w = world({ gates: gangs })
  await w.feed(node('n', '8'), member('a', 'g'))
  await w.lead()
  await w.feed(gang('g', 3), member('b', 'g'))
  expect(w.bound.size).toBe(0)
  await w.feed(member('c', 'g'))
  expect([...w.bound.keys()].sort()).toEqual(['a', 'b', 'c'])
})

test('a gang that does not fit as a whole takes no room, not even from a pod that comes after it', async () => {
  const w = world({ gates: gangs })
  await w.feed(node('n', '2'), gang('g', 3), member('a', 'g'), member('b', 'g'), member('c', 'g'))
  await w.lead()
  expect([w.bound.size, w.said.filter((line) => line.includes('waiting for minCount pods from a gang to be scheduled')).length]).toEqual([0, 2])
  await w.feed(pod('alone', '2'))
  expect([...w.bound.keys()]).toEqual(['alone'])
})

test('two gangs that each need the whole node do not hold half of it each: one starts, the other waits', async () => {
  const w = world({ gates: gangs })
  await w.feed(node('n', '4'), gang('g', 3), gang('h', 3), member('g1', 'g'), member('h1', 'h'), member('g2', 'g'), member('h2', 'h'), member('g3', 'g'), member('h3', 'h'))
  await w.lead()
  expect([...w.bound.keys()].sort()).toEqual(['g1', 'g2', 'g3'])
  await w.feed(...['g1', 'g2', 'g3'].flatMap((name): FeedItem[] => [{ type: 'pod-set', pod: podOf(name, '1', { nodeName: 'n' }) }, { type: 'settled', key: `default/${name}` }, { type: 'pod-gone', key: `default/${name}` }]))
  expect([...w.bound.keys()].sort()).toEqual(['g1', 'g2', 'g3', 'h1', 'h2', 'h3'])
})

test('without its gates a group is nothing', async () => {
  const w = world()
  await w.feed(node('n', '1'), member('a', 'g'))
  await w.lead()
  expect([...w.bound.keys()]).toEqual(['a'])
})

test('what a tap is told makes a cache like the loop\'s', async () => {
  const w = world()
  await w.feed(node('n', '4'), pod('before', '1'), { type: 'pod-set', pod: podOf('placed', '1', { nodeName: 'n' }) })
  await w.lead()
  const told: FeedItem[] = []
  w.decider.tap((items) => told.push(...items))
  await w.feed(pod('after', '1'), pod('never', '9'))
  expect(told.filter(({ type }) => type === 'synced').length).toBe(1)
  const places = told.flatMap((item) => (item.type === 'assume' || item.type === 'pod-set' ? [item.pod.metadata.name] : []))
  expect([...new Set(places)].sort()).toEqual(['after', 'before', 'placed'])
  expect(told.flatMap((item) => (item.type === 'waiting' ? [item.pod.metadata.name] : []))).toContain('never')
})
