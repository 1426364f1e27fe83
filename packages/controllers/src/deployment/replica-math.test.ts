import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'
import { describe, expect, test } from 'vitest'
import { fenceposts, newSetReplicas, proportionalSizes, shrinkOldSets } from './replica-math.ts'

function deployment(replicas: number, surge: number | string, unavailable: number | string, more: Partial<Deployment['spec']> = {}): Deployment {
  return { metadata: { name: 'd' }, spec: { replicas, selector: {}, template: { metadata: { name: '' } }, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } }, ...more } }
}

let born = 0
function set(name: string, replicas: number, available = replicas, max?: number): ReplicaSet {
  born += 1
  return {
    metadata: { name, creationTimestamp: new Date(born * 1000).toISOString(), ...(max === undefined ? {} : { annotations: { 'deployment.kubernetes.io/max-replicas': String(max) } }) },
    spec: { replicas, selector: {} }, status: { replicas, availableReplicas: available },
  }
}

describe('fenceposts', () => {
  test.each([
    ['25% of 4', 4, '25%', '25%', { surge: 1, unavailable: 1 }],
    ['25% of 10: up for surge, down for unavailable', 10, '25%', '25%', { surge: 3, unavailable: 2 }],
    ['25% of 1: never below one step', 1, '25%', '25%', { surge: 1, unavailable: 0 }],
    ['both zero: one may be missing', 3, 0, 0, { surge: 0, unavailable: 1 }],
    ['10% of 3 unavailable without surge', 3, 0, '10%', { surge: 0, unavailable: 1 }],
    ['numbers as they are', 3, 2, 1, { surge: 2, unavailable: 1 }],
  ] as const)('%s', (_name, replicas, surge, unavailable, want) => {
    expect(fenceposts(deployment(replicas, surge, unavailable))).toEqual(want)
  })
})

describe('the size of the new set', () => {
  test.each([
    ['the first set gets all', 3, 1, 0, [] as number[], 0, 3],
    ['beside a full old set, the surge', 3, 1, 0, [3], 0, 1],
    ['no more than the surge, however often asked', 3, 1, 0, [3], 1, 1],
    ['what old sets gave up', 10, 3, 2, [8], 3, 5],
    ['never more than wanted', 3, 5, 0, [1], 2, 3],
  ])('%s', (_name, replicas, surge, unavailable, old, current, want) => {
    const all = [...old.map((n) => set('old', n)), ...(current > 0 ? [set('new', current)] : [])]
    expect(newSetReplicas(deployment(replicas, surge, unavailable), all, current)).toBe(want)
  })

  test('Recreate asks for all at once', () => {
    expect(newSetReplicas(deployment(3, 1, 1, { strategy: { type: 'Recreate' } }), [set('old', 3)], 0)).toBe(3)
  })
})

describe('how old sets shrink', () => {
  test.each([
    ['not below what must be available', 10, 2, 0, [10, 10], [2, 0], []],
    ['by what is available beyond the minimum', 10, 2, 0, [10, 10], [2, 2], [['a', 8]]],
    ['by maxUnavailable at once', 10, 0, 2, [10, 10], [0, 0], [['a', 8]]],
    ['unhealthy pods go before healthy ones', 10, 2, 0, [10, 7], [2, 2], [['a', 8]]],
    ['unhealthy pods go even when nothing healthy may', 3, 1, 1, [3, 1], [1, 0], [['a', 2]]],
    ['nothing where nothing is left', 3, 1, 1, [0, 0], [3, 3], []],
  ])('%s', (_name, replicas, surge, unavailable, [oldSize, oldAvailable], [newSize, newAvailable], want) => {
    const plan = shrinkOldSets(deployment(replicas, surge, unavailable), set('new', newSize ?? 0, newAvailable), [set('a', oldSize ?? 0, oldAvailable)])
    expect(plan.map(({ set: { metadata }, replicas: size }) => [metadata.name, size])).toEqual(want)
  })

  test('the oldest set shrinks first', () => {
    const plan = shrinkOldSets(deployment(5, 1, 3), set('new', 1, 0), [set('older', 2), set('newer', 3)])
    expect(plan.map(({ set: { metadata }, replicas }) => [metadata.name, replicas])).toEqual([['older', 0], ['newer', 2]])
  })
})

describe('proportional scaling', () => {
  test.each([
    ['10 to 15 in the middle of a rollout', 15, 3, [['a', 5, 13], ['b', 8, 13]], [['b', 11], ['a', 7]]],
    ['10 to 5', 5, 3, [['a', 5, 13], ['b', 8, 13]], [['b', 5], ['a', 3]]],
    ['to nothing', 0, 3, [['a', 5, 13], ['b', 8, 13]], [['b', 0], ['a', 0]]],
  ])('%s', (_name, replicas, surge, sets, want) => {
    const sizes = proportionalSizes(deployment(replicas, surge, 2), sets.map(([name, size, max]) => set(String(name), Number(size), Number(size), Number(max))))
    expect(sizes.map(({ set: { metadata }, replicas: size }) => [metadata.name, size])).toEqual(want)
    expect(sizes.reduce((total, { replicas: size }) => total + size, 0)).toBe(replicas === 0 ? 0 : replicas + surge)
  })
})
