import { expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { Cache } from '../cache/cache.ts'
import { decidePlain } from '../cycle/decide.ts'
import { misfitMessage } from '../cycle/fit-error.ts'
import type { Plugin } from '../framework/plugin.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { makeProfile, type Profile } from '../framework/profile.ts'
import { unschedulable } from '../framework/status.ts'
import { Engine } from './engine.ts'
import { Chance } from './oracle/chance.ts'
import { nodesToFind } from './sampling.ts'

const base = makeProfile({ schedulerName: 'default-scheduler' })
const node = (name: string, more: Partial<Node> = {}): Node => ({ metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: {}, status: { allocatable: { cpu: '64', memory: '64Gi', pods: '110' } }, ...more })
const pod = (name: string, spec: Partial<Pod['spec']> = {}, labels: Record<string, string> = {}): Pod => ({ metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1', memory: '1Gi' } } }], ...spec } })
const random = (): number => 0

function clusterOf(...nodes: Node[]): Cache {
  const cache = new Cache()
  for (const each of nodes) cache.apply({ type: 'node-set', node: each })
  return cache
}

/** The default profile with another plugin. */
function withPlugin(plugin: Plugin): Profile {
  return { ...base, plugins: [...base.plugins, plugin], weights: new Map([...base.weights, [plugin.name, 1]]) }
}

/** A plugin that tells which nodes it was asked about since `take` was called. */
function listening(name: string, more: Partial<Plugin>): { plugin: Plugin; take(): string[] } {
  const asked: string[] = []
  const plugin: Plugin = { name, ...more, filter(_state, _pod, { name: node }) {
    asked.push(node)
    return undefined
  } }
  return { plugin, take: () => asked.splice(0).sort() }
}

function place(engine: Engine, cache: Cache, given: Pod): string | undefined {
  const decision = engine.decide(podInfoOf(given), random)
  if (decision.node !== undefined) cache.apply({ type: 'pod-set', pod: { ...given, spec: { ...given.spec, nodeName: decision.node } } })
  return decision.node
}

test.each<[string, Partial<Plugin>, number]>([
  ['the node alone: asked once', { dependsOn: 'node', sign: () => '' }, 0],
  ['the node and its pods: asked about the node that changed', { dependsOn: 'node-and-pods', sign: () => '' }, 1],
  ['nothing that it tells: asked about all of them each time', {}, 3],
  ['something that it does not sign for this pod: asked about all of them each time', { dependsOn: 'node', sign: () => undefined }, 3],
])('after a placement, a plugin that depends on %s', (_, more, expected) => {
  const cache = clusterOf(node('a'), node('b'), node('c'))
  const { plugin, take } = listening('Listener', more)
  const engine = new Engine(cache, withPlugin(plugin))
  place(engine, cache, pod('p1'))
  expect(take()).toEqual(['a', 'b', 'c'])
  place(engine, cache, pod('p2'))
  expect(take()).toHaveLength(expected)
})

test('pods that a plugin tells apart are asked about once each; a node that changed often is asked about once', () => {
  const cache = clusterOf(node('a'), node('b'))
  const { plugin, take } = listening('Listener', { dependsOn: 'node', sign: (info) => info.pod.metadata.labels?.app ?? '' })
  const engine = new Engine(cache, withPlugin(plugin))
  for (const app of ['x', 'y', 'x', 'y', 'x']) place(engine, cache, pod(`p${cache.podCount}`, {}, { app }))
  expect(take()).toEqual(['a', 'a', 'b', 'b'])
  for (let i = 0; i < 100; i++) cache.apply({ type: 'node-set', node: node('a', { metadata: { name: 'a', labels: { i: String(i) } } }) })
  place(engine, cache, pod('last', {}, { app: 'x' }))
  expect(take()).toEqual(['a'])
})

test('a heartbeat makes nobody ask again', () => {
  const cache = clusterOf(node('a'), node('b'))
  const { plugin, take } = listening('Listener', { dependsOn: 'node-and-pods', sign: () => '' })
  const engine = new Engine(cache, withPlugin(plugin))
  engine.decide(podInfoOf(pod('p')), random)
  take()
  for (const name of ['a', 'b']) cache.apply({ type: 'node-set', node: { ...node(name), status: { ...node(name).status, conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: 'now' }] } } })
  engine.decide(podInfoOf(pod('p')), random)
  expect(take()).toEqual([])
})

test('when the worst of normalized scores is gone, the others are worth something else', () => {
  const tainted = (name: string, taints: number): Node => node(name, { spec: { taints: Array.from({ length: taints }, (_, i) => ({ key: `k${i}`, effect: 'PreferNoSchedule' })) } })
  const cache = clusterOf(tainted('a', 1), tainted('b', 4), tainted('c', 2))
  const engine = new Engine(cache, base)
  const scores = (): unknown => {
    const decision = engine.decide(podInfoOf(pod('p')), random)
    return decision.node !== undefined && Object.fromEntries(decision.best.map(({ node: name, byPlugin }) => [name, byPlugin.TaintToleration]))
  }
  scores()
  expect(scores()).toEqual({ a: 225, b: 0, c: 150 })
  cache.apply({ type: 'node-gone', name: 'b' })
  expect(scores()).toEqual({ a: 150, c: 0 })
})

test('every one of the equal nodes is taken by some chance, at first sight and later', () => {
  const cache = clusterOf(...Array.from({ length: 5 }, (_, i) => node(`n${i}`)))
  const engine = new Engine(cache, base)
  const chance = new Chance(1)
  for (let round = 0; round < 2; round++) {
    const taken = new Set<string | undefined>()
    for (let i = 0; i < 100; i++) taken.add(engine.decide(podInfoOf(pod('p')), () => chance.next()).node)
    expect(taken.size).toBe(5)
  }
  for (const edge of [0, 1 - 2 ** -53]) expect(engine.decide(podInfoOf(pod('p')), () => edge).node).toMatch(/^n[0-4]$/)
})

test('a plugin that throws does so to whoever asks, and leaves the engine as it was', () => {
  const cache = clusterOf(node('a'), node('b'), node('c'))
  let isBroken = false
  const plugin: Plugin = { name: 'Broken', dependsOn: 'node-and-pods', sign: () => '', filter(_state, _pod, { name }) {
    if (isBroken && name === 'b') throw new Error('broken')
    return name === 'c' ? unschedulable('not c') : undefined
  } }
  const engine = new Engine(cache, withPlugin(plugin))
  for (let i = 0; i < 3; i++) place(engine, cache, pod(`p${i}`))
  isBroken = true
  for (const name of ['a', 'b', 'c']) cache.apply({ type: 'node-set', node: node(name, { metadata: { name, labels: { changed: 'yes' } } }) })
  expect(() => engine.decide(podInfoOf(pod('p')), random)).toThrow('broken')
  isBroken = false
  expect(engine.decide(podInfoOf(pod('p')), random)).toMatchObject({ feasible: 2 })
})

test('more nodes than there was room for, and slots of nodes that are gone, are the same to it', () => {
  const cache = clusterOf(...Array.from({ length: 60 }, (_, i) => node(`n${i}`)))
  const engine = new Engine(cache, base)
  const check = (): void => {
    const info = podInfoOf(pod('big', { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '63500m' } } }] }))
    const plain = decidePlain(info, base, cache, random)
    for (let again = 0; again < 3; again++) expect(engine.decide(info, random)).toMatchObject(plain.node === undefined ? { misfit: { reasons: plain.misfit.reasons } } : { feasible: plain.feasible.length })
  }
  check()
  for (let i = 0; i < 30; i++) place(engine, cache, pod(`p${i}`))
  check()
  for (let i = 0; i < 20; i++) cache.apply({ type: 'node-gone', name: `n${i}` })
  check()
  for (let i = 100; i < 300; i++) cache.apply({ type: 'node-set', node: node(`n${i}`) })
  check()
})

test('a misfit says why for each node, also when it is asked later', () => {
  const cache = clusterOf(node('a', { spec: { unschedulable: true } }), node('b', { status: { allocatable: { cpu: '500m', memory: '1Gi', pods: '1' } } }))
  const engine = new Engine(cache, base)
  const decision = engine.decide(podInfoOf(pod('p')), random)
  expect(decision.node === undefined && misfitMessage(decision.misfit)).toMatch(/^0\/2 nodes are available: 1 Insufficient cpu, 1 node\(s\) were unschedulable\. .*preemption: 0\/2 nodes are available: 2 Preemption is not helpful for scheduling\.$/)
  expect(decision.node === undefined && Object.fromEntries([...decision.misfit.verdicts].map(([name, { plugin }]) => [name, plugin]))).toEqual({ a: 'NodeUnschedulable', b: 'NodeResourcesFit' })
})

test('a percentage of the nodes is looked at where the configuration says so, another part each time', () => {
  expect([nodesToFind(0, 5000), nodesToFind(100, 5000), nodesToFind(10, 99), nodesToFind(10, 5000), nodesToFind(1, 5000)]).toEqual([Infinity, Infinity, Infinity, 500, 100])
  const cache = clusterOf(...Array.from({ length: 300 }, (_, i) => node(`n${i}`)))
  const engine = new Engine(cache, { ...base, percentageOfNodesToScore: 50 })
  const seen = new Set<string>()
  for (let i = 0; i < 2; i++) {
    const decision = engine.decide(podInfoOf(pod('p')), random)
    expect(decision).toMatchObject({ feasible: 150 })
    if (decision.node !== undefined) for (const { node: name } of decision.best) seen.add(name)
  }
  expect(seen.size).toBe(10)
})

test('a pod that names its node is decided by asking about that node alone', () => {
  const cache = clusterOf(node('a'), node('b', { spec: { unschedulable: true } }), node('c'))
  const { plugin, take } = listening('Listener', { dependsOn: 'node', sign: () => '' })
  const engine = new Engine(cache, withPlugin(plugin))
  const on = (...names: string[]): Pod => pod('p', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: names.map((name) => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] })) } } } })
  expect([engine.decide(podInfoOf(on('c')), random), take()]).toMatchObject([{ node: 'c', feasible: 1 }, ['c']])
  const decision = engine.decide(podInfoOf(on('b')), random)
  expect(decision.node === undefined && [...decision.misfit.reasons]).toEqual([["node(s) didn't satisfy plugin(s) [NodeAffinity]", 2], ['node(s) were unschedulable', 1]])
  expect(engine.decide(podInfoOf(on('a', 'b', 'c')), random)).toMatchObject({ feasible: 2 })
})
