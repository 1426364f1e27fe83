import type { Pod, PodPhase } from '@berth/api/types/core/v1'
import { describe, expect, test } from 'vitest'
import { measuredPods, type PodMetrics } from './pod-metrics.ts'
import { averageReplicas, sharedValueReplicas, sumOfValues, utilizationReplicas, valueReplicas } from './replicas.ts'
import { requestsOf } from './requests.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString()
const readiness = { now, cpuInitializationPeriodMs: 120_000, initialReadinessDelayMs: 10_000 }
const tolerances = { down: 0.1, up: 0.1 }

interface Given {
  phase?: PodPhase
  ready?: 'True' | 'False'
  /** Seconds since the pod started, and since its readiness changed. */
  started?: number
  changed?: number
  leaving?: boolean
}

function pod(name: string, { phase = 'Running', ready = 'True', started = 600, changed = 500, leaving = false }: Given = {}): Pod {
  return {
    metadata: { name, namespace: 'd', ...(leaving ? { deletionTimestamp: ago(1) } : {}) }, spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1', memory: '1Ki' } } }] },
    status: { phase, startTime: ago(started), conditions: [{ type: 'Ready', status: ready, lastTransitionTime: ago(changed) }] },
  }
}

const pods = (...given: Given[]): Pod[] => given.map((each, at) => pod(`p${at}`, each))
const measured = (...values: (number | undefined)[]): PodMetrics => new Map(values.flatMap((value, at) => (value === undefined ? [] : [[`p${at}`, { value: BigInt(value), timestamp: now, windowMs: 60_000 }] as const])))

describe('whether a pod’s CPU is believed', () => {
  const group = (given: Given, resource = 'cpu', timestamp = now): string => {
    const { ready, unready, missing, values } = measuredPods([pod('p0', given)], new Map([['p0', { value: 1n, timestamp, windowMs: 60_000 }]]), resource, readiness)
    return `${ready === 1 ? 'ready' : unready.length > 0 ? 'unready' : missing.length > 0 ? 'missing' : 'ignored'} ${values.size}`
  }
  test.each<[string, Given, string, string, number?]>([
    ['ready for long', {}, 'cpu', 'ready 1'],
    ['pending', { phase: 'Pending' }, 'cpu', 'unready 0'],
    ['failed', { phase: 'Failed' }, 'cpu', 'ignored 0'],
    ['being deleted', { leaving: true }, 'cpu', 'ignored 0'],
    ['starting, and not ready', { started: 60, changed: 60, ready: 'False' }, 'cpu', 'unready 0'],
    ['starting, ready for a whole window', { started: 100, changed: 61 }, 'cpu', 'ready 1'],
    ['starting, ready for less than a window', { started: 100, changed: 59 }, 'cpu', 'unready 0'],
    ['started, lost its readiness long after', { started: 600, changed: 100, ready: 'False' }, 'cpu', 'ready 1'],
    ['started, and never ready', { started: 600, changed: 595, ready: 'False' }, 'cpu', 'unready 0'],
    ['not ready, and it is memory', { started: 60, changed: 60, ready: 'False' }, 'memory', 'ready 1'],
  ])('%s', (_name, given, resource, wanted) => {
    expect(group(given, resource)).toBe(wanted)
  })

  test('a pod without a condition or a start is not', () => {
    const bare: Pod = { ...pod('p0'), status: { phase: 'Running' } }
    expect(measuredPods([bare], measured(1), 'cpu', readiness).unready).toEqual(['p0'])
  })

  test('a pod of which nothing is measured is missing; measurements of others stay', () => {
    const { missing, values } = measuredPods(pods({}, {}), new Map([...measured(5), ['x', { value: 7n, timestamp: now, windowMs: 0 }]]), 'cpu', readiness)
    expect([missing, [...values]]).toEqual([['p1'], [['p0', 5n], ['x', 7n]]])
  })
})

describe('replicas by percent of what is requested (a core each)', () => {
  const starting: Given = { started: 60, changed: 60, ready: 'False' }
  test.each<[string, { pods: Given[]; usages: (number | undefined)[]; target: number; current?: number }, number, number, number]>([
    ['grows', { pods: [{}, {}, {}], usages: [300, 500, 700], target: 30 }, 5, 50, 500],
    ['shrinks', { pods: [{}, {}, {}, {}, {}], usages: [100, 300, 500, 250, 250], target: 50 }, 3, 28, 280],
    ['stays within the tolerance', { pods: [{}, {}, {}], usages: [1010, 1030, 1020], target: 100 }, 3, 102, 1020],
    ['grows beyond the tolerance', { pods: [{}, {}, {}], usages: [1110, 1110, 1120], target: 100 }, 4, 111, 1113],
    ['does not count pods that start', { pods: [{}, {}, starting], usages: [1000, 1000, 9000], target: 50 }, 4, 100, 1000],
    ['stays where those that start take it back', { pods: [{}, starting, starting], usages: [1000, 9000, 9000], target: 50 }, 3, 100, 1000],
    ['shrinks, whatever starts', { pods: [{}, {}, starting], usages: [100, 100, 9000], target: 50 }, 1, 10, 100],
    ['takes what is missing as idle when it grows', { pods: [{}, {}, {}], usages: [1000, 1000, undefined], target: 50 }, 4, 100, 1000],
    ['takes what is missing as busy when it shrinks', { pods: [{}, {}, {}, {}], usages: [100, 100, 100, undefined], target: 50 }, 3, 10, 100],
    ['takes what is missing at the target where that is above all', { pods: [{}, {}], usages: [1000, undefined], target: 200 }, 2, 100, 1000],
    ['does not turn: missing pods would make it grow', { pods: [{}, {}], usages: [450, undefined], target: 50 }, 2, 45, 450],
    ['keeps what there is where the count of pods would turn it', { pods: [{}, {}, {}], usages: [900, 900, undefined], target: 50, current: 9 }, 9, 90, 900],
    ['ignores pods that leave', { pods: [{}, { leaving: true }], usages: [1000, 10], target: 50 }, 2, 100, 1000],
  ])('%s', (_name, given, replicas, utilization, usage) => {
    const all = pods(...given.pods)
    const sorted = measuredPods(all, measured(...given.usages), 'cpu', readiness)
    expect(utilizationReplicas(sorted, requestsOf(all, 'cpu', undefined), given.target, given.current ?? all.length, tolerances)).toEqual({ replicas, utilization, usage: BigInt(usage) })
  })

  test('nothing believed, or nothing requested, is an error', () => {
    const none = measuredPods(pods({ phase: 'Pending' }), measured(5), 'cpu', readiness)
    expect(() => utilizationReplicas(none, new Map(), 50, 1, tolerances)).toThrow('did not receive metrics for targeted pods (pods might be unready)')
    expect(() => utilizationReplicas(measuredPods([], measured(5), 'cpu', readiness), new Map(), 50, 1, tolerances)).toThrow('no metrics returned matched known pods')
  })

  test('a tolerance for each direction', () => {
    const all = pods({}, {})
    const at = (usage: number, down: number, up: number): number => utilizationReplicas(measuredPods(all, measured(usage, usage), 'cpu', readiness), requestsOf(all, 'cpu', undefined), 50, 2, { down, up }).replicas
    expect([at(600, 0, 0.3), at(700, 0, 0.3), at(490, 0, 0.3), at(250, 0.6, 0)]).toEqual([2, 3, 2, 2])
    expect(at(200, 0.5, 0)).toBe(1)
  })
})

test.each<[string, (number | undefined)[], number, number, number]>([
  ['grows', [20_000, 10_000, 30_000], 15_000, 4, 20_000],
  ['shrinks', [12_000, 12_000, 12_000], 20_000, 2, 12_000],
  ['stays', [20_000, 21_000, 21_000], 20_000, 3, 20_666],
  ['takes what is missing at the target when it shrinks', [10_000, 10_000, undefined], 20_000, 2, 10_000],
  ['takes what is missing as nothing when it grows', [60_000, 60_000, undefined], 20_000, 6, 60_000],
])('replicas by the pods’ average: %s', (_name, usages, target, replicas, usage) => {
  expect(averageReplicas(measuredPods(pods({}, {}, {}), measured(...usages), '', readiness), BigInt(target), 3, tolerances)).toEqual({ replicas, usage: BigInt(usage) })
})

test.each([
  ['grows with the ready pods', 20_000n, 15_000n, 3, 3, 4],
  ['stays within the tolerance', 15_500n, 15_000n, 3, 3, 3],
  ['from zero takes as many as the value is targets', 44_000n, 15_000n, 0, 0, 3],
  ['to zero', 0n, 15_000n, 2, 2, 0],
])('replicas by one value: %s', (_name, usage, target, current, ready, replicas) => {
  expect(valueReplicas(usage, target, current, () => ready, tolerances)).toEqual({ replicas, usage })
})

test.each([
  ['grows', 90_000n, 10_000n, 3, 9, 30_000n],
  ['stays', 31_000n, 10_000n, 3, 3, 10_334n],
  ['no pods yet', 50_000n, 10_000n, 0, 5, 50_000n],
  ['nothing to share, and no pods', 0n, 10_000n, 0, 0, 0n],
])('replicas by a value that is shared out: %s', (_name, usage, target, current, replicas, share) => {
  expect(sharedValueReplicas(usage, target, current, tolerances)).toEqual({ replicas, usage: share })
})

test('values beyond 64 bits are the most that they hold, and replicas the most that 32 do', () => {
  const most = 2n ** 63n - 1n
  expect(sumOfValues([most, 5n])).toBe(most)
  expect(sharedValueReplicas(most, 1n, 3, tolerances)).toEqual({ replicas: 2 ** 31 - 1, usage: most })
})

describe('what a pod requests', () => {
  const full: Pod = {
    metadata: { name: 'p' },
    spec: {
      containers: [{ name: 'a', resources: { requests: { cpu: '100m', memory: '1Ki' } } }, { name: 'b', resources: { requests: { cpu: '1' } } }],
      initContainers: [{ name: 'once', resources: { requests: { cpu: '5' } } }, { name: 'side', restartPolicy: 'Always', resources: { requests: { cpu: '50m' } } }],
    },
  }
  test('containers and sidecars together, or one of them', () => {
    expect([requestsOf([full], 'cpu', undefined).get('p'), requestsOf([full], 'cpu', 'b').get('p'), requestsOf([full], 'memory', 'a').get('p')]).toEqual([1150n, 1000n, 1_024_000n])
  })
  test('of the whole pod, where it says so', () => {
    const whole: Pod = { ...full, spec: { ...full.spec, resources: { requests: { cpu: '3' } } } }
    expect([requestsOf([whole], 'cpu', undefined).get('p'), requestsOf([whole], 'cpu', 'a').get('p')]).toEqual([3000n, 100n])
  })
  test('one that does not say', () => {
    expect(() => requestsOf([full], 'memory', undefined)).toThrow('missing request for memory in container b of Pod p')
    expect(() => requestsOf([full], 'cpu', 'x')).toThrow('container x not found in Pod p')
    expect(() => requestsOf([{ ...full, spec: { ...full.spec, resources: { requests: { cpu: '3' } } } }], 'example.com/x', undefined)).toThrow('missing pod-level request for example.com/x in Pod p')
  })
})
