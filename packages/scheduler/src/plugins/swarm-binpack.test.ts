import { expect, test } from 'vitest'
import { clusterOf, nodeOf, verdictsOf, type GivenPod } from './placement/scores.test-support.ts'
import { swarmBinpack } from './swarm-binpack.ts'

const nodes = [nodeOf('a'), nodeOf('b'), nodeOf('c')]

test.each<[string, GivenPod[], GivenPod, Record<string, number>]>([
  ['the fullest node comes first', [{ name: '1', node: 'a', cpu: '1', memory: '1Gi' }, { name: '2', node: 'b', cpu: '2', memory: '2Gi' }], { name: 'new', cpu: '1', memory: '1Gi' }, { a: 50, b: 100, c: 0 }],
  ['processors and memory count alike', [{ name: '1', node: 'a', cpu: '2', memory: '1Gi' }, { name: '2', node: 'b', cpu: '1', memory: '3Gi' }], { name: 'new', cpu: '1', memory: '1Gi' }, { a: 100, b: 100, c: 0 }],
  ['among equally full nodes, the one with the most tasks', [{ name: '1', node: 'a' }, { name: '2', node: 'b' }, { name: '3', node: 'b' }], { name: 'new', cpu: '1', memory: '1Gi' }, { a: 50, b: 100, c: 0 }],
  ['a task that reserves nothing goes where the most are', [{ name: '1', node: 'a', cpu: '4' }, { name: '2', node: 'b' }, { name: '3', node: 'b' }], { name: 'new' }, { a: 50, b: 100, c: 0 }],
])('%s', (_, pods, pod, wanted) => {
  expect(verdictsOf(swarmBinpack(), clusterOf(nodes, pods), pod)).toEqual(wanted)
})
