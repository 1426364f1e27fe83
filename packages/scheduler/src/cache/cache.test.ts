import { expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { NodeInfo } from '../framework/node-info.ts'
import { Cache } from './cache.ts'

const node = (name: string, images: string[] = []): Node => ({ metadata: { name }, spec: {}, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10' }, images: images.map((i) => ({ names: [i], sizeBytes: 100 })) } })
const pod = (name: string, nodeName: string, cpu = '500m'): Pod => ({ metadata: { name, namespace: 'default' }, spec: { nodeName, containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }] } })
const used = (cache: Cache, name: string): number | undefined => cache.node(name)?.requested.milliCpu

test('pods count on their node, a changed pod counts as it is now, a gone one no more', () => {
  const cache = new Cache()
  cache.apply({ type: 'node-set', node: node('n1') })
  cache.apply({ type: 'pod-set', pod: pod('a', 'n1') })
  expect(used(cache, 'n1')).toBe(500)
  cache.apply({ type: 'pod-set', pod: pod('a', 'n1', '700m') })
  expect(used(cache, 'n1')).toBe(700)
  cache.apply({ type: 'pod-gone', key: 'default/a' })
  expect(used(cache, 'n1')).toBe(0)
})

test('an assumed pod counts at once, is the same pod when the API says so, and is taken back by forget', () => {
  const cache = new Cache()
  cache.apply({ type: 'node-set', node: node('n1') })
  cache.apply({ type: 'assume', pod: pod('a', ''), node: 'n1', sequence: 1 })
  expect([used(cache, 'n1'), cache.isAssumed('default/a'), cache.sequence]).toEqual([500, true, 1])
  cache.apply({ type: 'pod-set', pod: pod('a', 'n1') })
  expect([used(cache, 'n1'), cache.isAssumed('default/a')]).toEqual([500, false])
  // Bound in the meantime: a late forget must not take it away.
  cache.apply({ type: 'forget', key: 'default/a', sequence: 2 })
  expect(used(cache, 'n1')).toBe(500)
  cache.apply({ type: 'assume', pod: pod('b', ''), node: 'n1', sequence: 3 })
  cache.apply({ type: 'forget', key: 'default/b', sequence: 4 })
  expect([used(cache, 'n1'), cache.sequence]).toEqual([500, 4])
})

test('a pod whose node comes later counts when it comes, and again when the node comes back', () => {
  const cache = new Cache()
  cache.apply({ type: 'pod-set', pod: pod('a', 'n1') })
  cache.apply({ type: 'node-set', node: node('n1') })
  expect(used(cache, 'n1')).toBe(500)
  cache.apply({ type: 'node-gone', name: 'n1' })
  expect(cache.nodes).toEqual([])
  cache.apply({ type: 'node-set', node: node('n1') })
  expect(used(cache, 'n1')).toBe(500)
})

test('images are known by the nodes that have them', () => {
  const cache = new Cache()
  cache.apply({ type: 'node-set', node: node('n1', ['r/a:latest', 'r/b:1']) })
  cache.apply({ type: 'node-set', node: node('n2', ['r/a:latest']) })
  expect([...cache.image('r/a:latest')!.nodes]).toEqual(['n1', 'n2'])
  cache.apply({ type: 'node-set', node: node('n1', ['r/b:1']) })
  expect([...cache.image('r/a:latest')!.nodes]).toEqual(['n2'])
  cache.apply({ type: 'node-gone', name: 'n2' })
  expect(cache.image('r/a:latest')).toBeUndefined()
})

test('a nomination is on one node at a time, and ends when the pod has a node or is gone', () => {
  const cache = new Cache()
  const nominated = (): unknown => [cache.nominationOf('default/a'), [...cache.nominatedOn('n1')?.keys() ?? []], [...cache.nominatedOn('n2')?.keys() ?? []]]
  const nominate = (node: string): void => cache.apply({ type: 'nominate', pod: pod('a', ''), node })
  nominate('n1')
  expect(nominated()).toEqual(['n1', ['default/a'], []])
  nominate('n2')
  expect(nominated()).toEqual(['n2', [], ['default/a']])
  for (const change of [{ type: 'assume', pod: pod('a', ''), node: 'n1', sequence: 1 }, { type: 'pod-set', pod: pod('a', 'n1') }, { type: 'pod-gone', key: 'default/a' }, { type: 'nomination-gone', key: 'default/a' }] as const) {
    nominate('n2')
    cache.apply(change)
    expect(nominated()).toEqual([undefined, [], []])
  }
})

test('a heartbeat changes nothing; a label, a taint, an annotation or an amount does', () => {
  const cache = new Cache()
  const told: string[] = []
  const tell = (what: string) => (node: NodeInfo): void => void told.push(`${what} ${node.name}`)
  cache.observe({ nodeSet: tell('set'), nodeGone: tell('gone'), podAdded() {}, podRemoved() {}, namespaceChanged() {}, nominationsChanged() {} })
  const set = (more: Partial<Node['metadata']> = {}, spec: Node['spec'] = {}, cpu = '4', heartbeat = ''): string[] => {
    told.length = 0
    cache.apply({ type: 'node-set', node: { metadata: { name: 'n1', resourceVersion: heartbeat, ...more }, spec, status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: heartbeat }] } } })
    return [...told]
  }
  expect(set()).toEqual(['set n1'])
  expect(set({}, {}, '4', 'later')).toEqual([])
  expect(set({ labels: { generation: '1' } })).toEqual(['set n1'])
  expect(set({ labels: { generation: '2' } })).toEqual(['set n1'])
  expect(set({ labels: { generation: '2' }, annotations: { a: 'b' } })).toEqual(['set n1'])
  expect(set({ labels: { generation: '2' } }, { taints: [{ key: 'k', effect: 'NoSchedule' }] })).toEqual(['set n1'])
  expect([set({}, {}, '8'), cache.node('n1')?.allocatable.milliCpu]).toEqual([['set n1'], 8000])
})

test('what a cache contains makes another one like it', () => {
  const cache = new Cache()
  cache.apply({ type: 'node-set', node: node('n1') })
  cache.apply({ type: 'pod-set', pod: pod('a', 'n1') })
  cache.apply({ type: 'pod-set', pod: pod('b', 'elsewhere') })
  cache.apply({ type: 'assume', pod: pod('c', ''), node: 'n1', sequence: 7 })
  cache.apply({ type: 'nominate', pod: pod('d', ''), node: 'n1' })
  cache.apply({ type: 'owner-set', kind: 'ReplicaSet', key: 'default/r', selector: { matchLabels: { a: 'b' } } })
  const copy = new Cache()
  for (const change of cache.contents()) copy.apply(change)
  expect([used(copy, 'n1'), copy.podCount, copy.isAssumed('default/c'), copy.sequence, copy.nominationOf('default/d')]).toEqual([1000, 3, true, 7, 'n1'])
  expect([...copy.contents()]).toEqual([...cache.contents()].map((change) => (change.type === 'assume' ? { ...change, pod: { ...change.pod, spec: { ...change.pod.spec, nodeName: 'n1' } } } : change)))
})
