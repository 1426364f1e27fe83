import { expect, test } from 'vitest'
import type { Pod } from '@berth/api/types/core/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { printedSelector } from '../common/printed-selector.ts'
import { disruptedPods, expectation, failedStatus, healthyPods, nextStatus, staleConditionInMs } from './budget.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString().replace('.000Z', 'Z')
const budget = (spec: PodDisruptionBudget['spec'], status?: PodDisruptionBudget['status']): PodDisruptionBudget => ({ metadata: { name: 'b', namespace: 'ns', generation: 1 }, spec, ...(status ? { status } : {}) })
const pod = (name: string, ready = true, metadata: Partial<Pod['metadata']> = {}): Pod => ({ metadata: { name, ...metadata }, spec: { containers: [] }, status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] } })

test.each<[string, PodDisruptionBudget['spec'], number, number, { expected: number; desired: number }]>([
  ['a number that has to be there', { minAvailable: 2 }, 5, 9, { expected: 5, desired: 2 }],
  ['a share of the workload, rounded up', { minAvailable: '50%' }, 5, 7, { expected: 7, desired: 4 }],
  ['all of it', { minAvailable: '100%' }, 5, 7, { expected: 7, desired: 7 }],
  ['a number that may be missing', { maxUnavailable: 2 }, 5, 7, { expected: 7, desired: 5 }],
  ['a share that may be missing, rounded up', { maxUnavailable: '30%' }, 5, 7, { expected: 7, desired: 4 }],
  ['more may be missing than there are', { maxUnavailable: 9 }, 5, 7, { expected: 7, desired: 0 }],
  ['nothing said', {}, 5, 7, { expected: 0, desired: 0 }],
])('%s', (_, spec, pods, scale, expected) => {
  expect(expectation(budget(spec), pods, { expected: scale, unmanaged: [] })).toEqual(expected)
})

test('a share that is none is an error', () => {
  expect(() => expectation(budget({ minAvailable: 'half' }), 1, { expected: 1, unmanaged: [] })).toThrow('invalid value for IntOrString: invalid type: string is not a percentage')
})

test('pods that are ready count, unless they are going or their eviction was granted', () => {
  expect(healthyPods([pod('a'), pod('b', false), pod('c', true, { deletionTimestamp: at(0) }), pod('d')], { d: at(-10) })).toBe(1)
})

test('a granted eviction is remembered for two minutes, or until the pod goes', () => {
  const given = budget({}, { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0, disruptedPods: { early: at(-100), late: at(-10), over: at(-130), going: at(-5), gone: at(-5) } })
  const { disrupted, overdue, recheckInMs } = disruptedPods(given, [pod('early'), pod('late'), pod('over'), pod('going', true, { deletionTimestamp: at(0) }), pod('other')], now)
  expect(disrupted).toEqual({ early: at(-100), late: at(-10) })
  expect([overdue.map((each) => each.metadata.name), recheckInMs]).toEqual([['over'], 20_001])
})

test.each<[string, { expected: number; desired: number; healthy: number }, number, string, string]>([
  ['more than have to be', { expected: 5, desired: 3, healthy: 5 }, 2, 'True', 'SufficientPods'],
  ['just enough', { expected: 5, desired: 3, healthy: 3 }, 0, 'False', 'InsufficientPods'],
  ['too few', { expected: 5, desired: 3, healthy: 1 }, 0, 'False', 'InsufficientPods'],
  ['no pods at all', { expected: 0, desired: 0, healthy: 0 }, 0, 'False', 'InsufficientPods'],
])('healthy: %s', (_, counts, allowed, status, reason) => {
  expect(nextStatus(budget({}), counts, {}, now)).toEqual({
    currentHealthy: counts.healthy, desiredHealthy: counts.desired, expectedPods: counts.expected, disruptionsAllowed: allowed, observedGeneration: 1,
    conditions: [{ type: 'DisruptionAllowed', status, reason, message: '', observedGeneration: 1, lastTransitionTime: at(0) }],
  })
})

test('a status that is right is left alone; a condition that stays keeps its time', () => {
  const first = nextStatus(budget({}), { expected: 5, desired: 3, healthy: 5 }, {}, now)
  const again = budget({}, first)
  expect(nextStatus(again, { expected: 5, desired: 3, healthy: 5 }, {}, now + 60_000)).toBe(first)
  expect(nextStatus(again, { expected: 5, desired: 3, healthy: 4 }, {}, now + 60_000)?.conditions?.[0]?.lastTransitionTime).toBe(at(0))
  expect(nextStatus(again, { expected: 5, desired: 3, healthy: 3 }, {}, now + 60_000)?.conditions?.[0]?.lastTransitionTime).toBe(at(60))
})

test('a budget that cannot be computed allows nothing', () => {
  expect(failedStatus(budget({}, { currentHealthy: 5, desiredHealthy: 3, expectedPods: 5, disruptionsAllowed: 2, observedGeneration: 1 }), 'found no controllers for pod "x"', now)).toMatchObject({
    currentHealthy: 5, disruptionsAllowed: 0, conditions: [{ status: 'False', reason: 'SyncFailed', message: 'found no controllers for pod "x"' }],
  })
})

test.each<[string, Partial<NonNullable<Pod['status']>>, Partial<Pod['metadata']>, number | undefined]>([
  ['no condition', {}, {}, undefined],
  ['a condition of just now', { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', lastTransitionTime: at(-30) }] }, {}, 90_000],
  ['an old one', { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', lastTransitionTime: at(-300) }] }, {}, 0],
  ['one that is False', { conditions: [{ type: 'DisruptionTarget', status: 'False', lastTransitionTime: at(-300) }] }, {}, undefined],
  ["the kubelet's", { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet', lastTransitionTime: at(-300) }] }, {}, undefined],
  ["a pod that is over", { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime: at(-300) }] }, {}, undefined],
  ['a pod that goes', { conditions: [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime: at(-300) }] }, { deletionTimestamp: at(0) }, undefined],
])('stale: %s', (_, status, metadata, expected) => {
  expect(staleConditionInMs({ metadata: { name: 'p', ...metadata }, spec: { containers: [] }, status }, now)).toBe(expected)
})

test('a selector is printed as Go does it', () => {
  expect(printedSelector({ matchLabels: { b: '2', a: '1' } })).toBe('&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{},}')
})
