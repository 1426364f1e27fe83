import { expect, test } from 'vitest'
import { clusterOf, nodeOf, verdictsOf, type GivenPod } from './placement/scores.test-support.ts'
import { swarmSpread } from './swarm-spread.ts'

const nodes = [nodeOf('a'), nodeOf('b'), nodeOf('c')]
const web: GivenPod = { name: 'new', owner: 'ReplicaSet/web-5d4f' }

test.each<[string, GivenPod[], GivenPod, Record<string, number>]>([
  ['no task anywhere: all alike', [], web, { a: 100, b: 100, c: 100 }],
  ['the fewest tasks of the service come first, however many others are there', [{ name: '1', node: 'a', owner: 'ReplicaSet/web-5d4f' }, { name: '2', node: 'b', owner: 'Job/x' }, { name: '3', node: 'b', owner: 'Job/x' }, { name: '4', node: 'c', owner: 'Job/x' }], web, { a: 0, b: 50, c: 100 }],
  ['a rollout\'s old pods are of the same service', [{ name: '1', node: 'a', owner: 'ReplicaSet/web-aaaa' }], web, { a: 0, b: 100, c: 100 }],
  ['among equals the fewest tasks at all', [{ name: '1', node: 'a', owner: 'Job/x' }, { name: '2', node: 'a' }, { name: '3', node: 'b' }], web, { a: 0, b: 50, c: 100 }],
  ['what tasks ask for does not matter', [{ name: '1', node: 'a', cpu: '4' }, { name: '2', node: 'b' }, { name: '3', node: 'b' }, { name: '4', node: 'c' }], web, { a: 100, b: 0, c: 100 }],
  ['a task that is going counts no more', [{ name: '1', node: 'a', owner: 'ReplicaSet/web-5d4f', deleted: true }], web, { a: 100, b: 100, c: 100 }],
  ['pods of nobody are no service', [{ name: '1', node: 'a' }, { name: '2', node: 'b', owner: 'Job/x' }], { name: 'new' }, { a: 0, b: 0, c: 100 }],
])('%s', (_, pods, pod, wanted) => {
  expect(verdictsOf(swarmSpread(), clusterOf(nodes, pods), pod)).toEqual(wanted)
})
