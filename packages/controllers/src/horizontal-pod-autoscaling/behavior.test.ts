import type { HPAScalingPolicy, HPAScalingRules } from '@berth/api/types/autoscaling/v2'
import { describe, expect, test } from 'vitest'
import { newHistory, normalize, normalizeWithBehavior, rememberChange, type History } from './behavior.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const windowMs = 300_000
/** [replicas, seconds ago] of each. */
const past = (recommendations: [number, number][] = [], ups: [number, number][] = [], downs: [number, number][] = []): History => {
  const changes = (list: [number, number][]): { by: number; at: number }[] => list.map(([by, ago]) => ({ by, at: now - ago * 1000 }))
  return { recommendations: recommendations.map(([replicas, ago]) => ({ replicas, at: now - ago * 1000 })), ups: changes(ups), downs: changes(downs) }
}

describe('without behaviour', () => {
  test.each<[string, History, [current: number, desired: number, min: number, max: number], number, string, string]>([
    ['what is asked for', past(), [3, 5, 1, 10], 5, 'ReadyForNewScale', 'False DesiredWithinRange'],
    ['no more than the most', past(), [8, 14, 1, 10], 10, 'ReadyForNewScale', 'True TooManyReplicas'],
    ['no less than the least', past(), [8, 1, 2, 10], 2, 'ReadyForNewScale', 'True TooFewReplicas'],
    ['no more than double at once', past(), [6, 30, 1, 100], 12, 'ReadyForNewScale', 'True ScaleUpLimit'],
    ['four at least', past(), [1, 9, 1, 100], 4, 'ReadyForNewScale', 'True ScaleUpLimit'],
    ['no less than was lately recommended', past([[7, 200], [9, 400]]), [8, 3, 1, 10], 7, 'ScaleDownStabilized', 'False DesiredWithinRange'],
    ['what was recommended long ago counts no more', past([[9, 301]]), [8, 3, 1, 10], 3, 'ReadyForNewScale', 'False DesiredWithinRange'],
  ])('%s', (_name, history, [current, desired, min, max], replicas, able, limited) => {
    const found = normalize(history, { current, desired, min, max }, windowMs, now)
    expect([found.replicas, found.able.reason, `${found.limited.isLimited ? 'True' : 'False'} ${found.limited.reason}`]).toEqual([replicas, able, limited])
  })

  test('it remembers what the metrics asked for, and forgets what is too old', () => {
    expect(normalize(past([[9, 301], [7, 10]]), { current: 8, desired: 3, min: 1, max: 10 }, windowMs, now).history).toEqual(past([[7, 10], [3, 0]]))
    expect(newHistory(4, now)).toEqual(past([[4, 0]]))
  })
})

const pods = (value: number, periodSeconds = 60): HPAScalingPolicy => ({ type: 'Pods', value, periodSeconds })
const percent = (value: number, periodSeconds = 60): HPAScalingPolicy => ({ type: 'Percent', value, periodSeconds })
const rules = (policies: HPAScalingPolicy[], more: HPAScalingRules = {}): HPAScalingRules => ({ policies, selectPolicy: 'Max', stabilizationWindowSeconds: 0, ...more })
const free = rules([percent(1000, 15)])

describe('growing with behaviour', () => {
  test.each<[string, HPAScalingRules, History, [current: number, desired: number, max: number], number, string]>([
    ['by pods', rules([pods(4)]), past(), [10, 30, 50], 14, 'True ScaleUpLimit'],
    ['by percent, rounded up', rules([percent(15)]), past(), [5, 30, 50], 6, 'True ScaleUpLimit'],
    ['the greater of two', rules([pods(4), percent(100)]), past(), [10, 30, 50], 20, 'True ScaleUpLimit'],
    ['the lesser of two', rules([pods(4), percent(100)], { selectPolicy: 'Min' }), past(), [10, 30, 50], 14, 'True ScaleUpLimit'],
    ['never', rules([pods(4)], { selectPolicy: 'Disabled' }), past(), [10, 30, 50], 10, 'True ScaleUpLimit'],
    ['what was added in the period counts', rules([pods(4)]), past([], [[3, 30]]), [10, 30, 50], 11, 'True ScaleUpLimit'],
    ['what was added before does not', rules([pods(4)]), past([], [[3, 61]]), [10, 30, 50], 14, 'True ScaleUpLimit'],
    ['what was taken away in the period counts too', rules([pods(4)]), past([], [], [[2, 30]]), [10, 30, 50], 16, 'True ScaleUpLimit'],
    ['more was added than the policy allows: it stays', rules([pods(4)]), past([], [[8, 30]]), [10, 30, 50], 10, 'True ScaleUpLimit'],
    ['up to the most', rules([percent(900)]), past(), [10, 80, 50], 50, 'True TooManyReplicas'],
    ['what is asked for', rules([percent(900)]), past(), [10, 30, 50], 30, 'False DesiredWithinRange'],
  ])('%s', (_name, scaleUp, history, [current, desired, max], replicas, limited) => {
    const found = normalizeWithBehavior(history, { current, desired, min: 1, max }, { scaleUp, scaleDown: free }, windowMs, now)
    expect([found.replicas, `${found.limited.isLimited ? 'True' : 'False'} ${found.limited.reason}`]).toEqual([replicas, limited])
  })

  test('not beyond the lowest recommendation of its window', () => {
    const scaleUp = rules([percent(900)], { stabilizationWindowSeconds: 60 })
    const found = normalizeWithBehavior(past([[12, 30], [5, 90]]), { current: 10, desired: 20, min: 1, max: 50 }, { scaleUp, scaleDown: free }, windowMs, now)
    expect([found.replicas, found.able.reason, found.able.message]).toEqual([12, 'ScaleUpStabilized', 'recent recommendations were lower than current one, applying the lowest recent recommendation'])
  })
})

describe('shrinking with behaviour', () => {
  test.each<[string, HPAScalingRules, History, [current: number, desired: number, min: number], number, string]>([
    ['by pods', rules([pods(4)]), past(), [20, 2, 1], 16, 'True ScaleDownLimit'],
    ['by percent, rounded down', rules([percent(15)]), past(), [19, 2, 1], 16, 'True ScaleDownLimit'],
    ['the greater change of two', rules([pods(4), percent(50)]), past(), [20, 2, 1], 10, 'True ScaleDownLimit'],
    ['the lesser change of two', rules([pods(4), percent(50)], { selectPolicy: 'Min' }), past(), [20, 2, 1], 16, 'True ScaleDownLimit'],
    ['never', rules([pods(4)], { selectPolicy: 'Disabled' }), past(), [20, 2, 1], 20, 'True ScaleDownLimit'],
    ['what was taken away in the period counts', rules([pods(4)]), past([], [], [[3, 30]]), [20, 2, 1], 19, 'True ScaleDownLimit'],
    ['what was added in the period counts too', rules([pods(4)]), past([], [[5, 30]]), [20, 2, 1], 11, 'True ScaleDownLimit'],
    ['down to the least', rules([percent(100)]), past(), [20, 2, 5], 5, 'True TooFewReplicas'],
    ['to zero, where that is the least', rules([percent(100)]), past(), [20, 0, 0], 0, 'False DesiredWithinRange'],
  ])('%s', (_name, scaleDown, history, [current, desired, min], replicas, limited) => {
    const found = normalizeWithBehavior(history, { current, desired, min, max: 50 }, { scaleUp: free, scaleDown }, windowMs, now)
    expect([found.replicas, `${found.limited.isLimited ? 'True' : 'False'} ${found.limited.reason}`]).toEqual([replicas, limited])
  })

  test('not below the highest recommendation of its window, which is the flag’s where the rules name none', () => {
    const { stabilizationWindowSeconds: _none, ...unnamed } = rules([percent(100)])
    const found = normalizeWithBehavior(past([[8, 299], [30, 301]]), { current: 10, desired: 2, min: 1, max: 50 }, { scaleUp: free, scaleDown: unnamed }, windowMs, now)
    expect([found.replicas, found.able.reason]).toEqual([8, 'ScaleDownStabilized'])
  })
})

test('changes are remembered as long as a policy looks back', () => {
  const behavior = { scaleUp: rules([pods(1, 60)]), scaleDown: rules([pods(1, 90)]) }
  const before = past([], [[2, 80], [3, 100]], [[4, 95]])
  expect(rememberChange(before, 5, 8, behavior, now)).toEqual(past([], [[2, 80], [3, 0]], []))
  expect(rememberChange(before, 5, 1, behavior, now)).toEqual(past([], [[2, 80]], [[4, 0]]))
  expect(rememberChange(before, 5, 8, undefined, now)).toBe(before)
})
