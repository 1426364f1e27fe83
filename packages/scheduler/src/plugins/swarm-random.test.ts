import { expect, test } from 'vitest'
import { clusterOf, nodeOf, verdictsOf } from './placement/scores.test-support.ts'
import { swarmRandom } from './swarm-random.ts'

const cluster = clusterOf(Array.from({ length: 10 }, (_, i) => nodeOf(`n${i}`)))
const drawn = (seed: number | undefined, name: string): string | undefined => Object.entries(verdictsOf(swarmRandom(seed === undefined ? {} : { seed }), cluster, { name })).find(([, score]) => score === 100)?.[0]

test('with a seed, the same pods draw the same nodes again', () => {
  const names = Array.from({ length: 50 }, (_, i) => `p${i}`)
  expect(names.map((name) => drawn(7, name))).toEqual(names.map((name) => drawn(7, name)))
})

test('another seed draws others', () => {
  const names = Array.from({ length: 50 }, (_, i) => `p${i}`)
  expect(names.filter((name) => drawn(7, name) === drawn(8, name)).length).toBeLessThan(20)
})

test('all nodes have the same chance', () => {
  const counts = new Map<string, number>()
  for (let i = 0; i < 2000; i++) counts.set(drawn(1, `p${i}`) ?? '', (counts.get(drawn(1, `p${i}`) ?? '') ?? 0) + 1)
  // 200 each is meant; six standard deviations are 80.
  expect([counts.size, [...counts.values()].every((count) => Math.abs(count - 200) < 80)]).toEqual([10, true])
})
