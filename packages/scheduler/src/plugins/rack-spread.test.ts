import { expect, test } from 'vitest'
import { clusterOf, nodeOf, verdictsOf, type GivenPod } from './placement/scores.test-support.ts'
import { rackSpread } from './rack-spread.ts'

const at = (name: string, zone: string, rack?: string) => nodeOf(name, { 'topology.kubernetes.io/zone': zone, ...(rack ? { 'berth.dev/rack': rack } : {}) })
const nodes = [at('a1', 'z1', 'r1'), at('a2', 'z1', 'r1'), at('b1', 'z1', 'r2'), at('c1', 'z2', 'r1')]
const db = (name: string, node: string): GivenPod => ({ name, node, owner: 'StatefulSet/db' })

test.each<[string, typeof nodes, GivenPod[], Record<string, number>]>([
  ['the first one goes anywhere in a rack', [...nodes, at('lone', 'z1')], [], { a1: 100, a2: 100, b1: 100, c1: 100, lone: 0 }],
  ['then another zone', nodes, [db('1', 'a1')], { a1: 0, a2: 33, b1: 66, c1: 100 }],
  ['then another rack of the zone', nodes, [db('1', 'a1'), db('2', 'c1')], { a1: 0, a2: 50, b1: 100, c1: 0 }],
  ['racks of the same name in two zones are two', [at('a', 'z1', 'r1'), at('b', 'z2', 'r1')], [db('1', 'a')], { a: 0, b: 100 }],
  ['then another host of the rack', [at('a1', 'z', 'r'), at('a2', 'z', 'r')], [db('1', 'a1')], { a1: 0, a2: 100 }],
  ['other pods do not matter', nodes, [{ name: '1', node: 'a1', owner: 'Job/x' }], { a1: 100, a2: 100, b1: 100, c1: 100 }],
])('%s', (_, cluster, pods, wanted) => {
  expect(verdictsOf(rackSpread(), clusterOf(cluster, pods), { name: 'new', owner: 'StatefulSet/db' })).toEqual(wanted)
})

test('it has nothing to say of a pod that is one of none', () => {
  expect(verdictsOf(rackSpread(), clusterOf(nodes), { name: 'new' })).toEqual({ a1: 0, a2: 0, b1: 0, c1: 0 })
})
