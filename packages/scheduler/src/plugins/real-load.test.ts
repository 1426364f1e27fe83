import { expect, test } from 'vitest'
import { resourceKey } from '../framework/resource-key.ts'
import { nodeMetrics, realLoad, type NodeMetrics, type RealLoadArgs } from './real-load.ts'
import { clusterOf, nodeOf, verdictsOf, type GivenPod } from './placement/scores.test-support.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString()
const measured = (name: string, cpu: string, memory: string, seconds = 10): NodeMetrics => ({ metadata: { name }, timestamp: ago(seconds), window: '20s', usage: { cpu, memory } })

test.each<[string, NodeMetrics[], GivenPod[], RealLoadArgs, Record<string, number>]>([
  ['the free share is the score', [measured('a', '1', '2Gi'), measured('b', '3', '6Gi'), measured('c', '0', '0')], [], {}, { a: 75, b: 25, c: 100 }],
  ['requests do not matter', [measured('a', '0', '0'), measured('b', '0', '0'), measured('c', '2', '4Gi')], [{ name: '1', node: 'a', cpu: '4', startTime: ago(3600) }], {}, { a: 100, b: 100, c: 50 }],
  ['but those of pods that came after the measurement', [measured('a', '0', '0'), measured('b', '0', '0'), measured('c', '0', '0')], [{ name: '1', node: 'a', cpu: '4', memory: '8Gi' }, { name: '2', node: 'b', cpu: '2', memory: '4Gi', startTime: ago(5) }], {}, { a: 0, b: 50, c: 100 }],
  ['an old measurement says nothing: the average', [measured('a', '1', '2Gi'), measured('b', '3', '6Gi'), measured('c', '0', '0', 91)], [], {}, { a: 75, b: 25, c: 50 }],
  ['how old is old can be set', [measured('a', '1', '2Gi'), measured('b', '3', '6Gi'), measured('c', '0', '0', 91)], [], { maxAge: '2m' }, { a: 75, b: 25, c: 100 }],
  ['a node that is not measured: the average', [measured('a', '1', '2Gi')], [], {}, { a: 75, b: 75, c: 75 }],
  ['resources can be weighed', [measured('a', '4', '0'), measured('b', '0', '8Gi'), measured('c', '0', '0')], [], { resources: [{ name: 'cpu', weight: 3 }, { name: 'memory', weight: 1 }] }, { a: 25, b: 75, c: 100 }],
  ['a measurement without a readable time says nothing', [{ ...measured('a', '4', '8Gi'), timestamp: 'soon' }, measured('b', '1', '2Gi')], [], {}, { a: 75, b: 75, c: 75 }],
  ['nothing is measured: no difference', [], [], {}, { a: 0, b: 0, c: 0 }],
])('%s', (_, metrics, pods, args, wanted) => {
  const cluster = clusterOf([nodeOf('a'), nodeOf('b'), nodeOf('c')], pods)
  for (const object of metrics) cluster.apply({ type: 'object-set', resource: resourceKey(nodeMetrics), object })
  expect(verdictsOf(realLoad(args, { now: () => now }), cluster, { name: 'new' })).toEqual(wanted)
})
