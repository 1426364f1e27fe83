import type { Lease } from '@berth/api/types/coordination/v1'
import type { Node, Taint } from '@berth/api/types/core/v1'
import { describe, expect, test } from 'vitest'
import { observe, silentConditions, type NodeHealth } from './health.ts'
import { noExecuteKey, wantedTaints } from './taints.ts'
import { defaultSettings } from '../config.ts'
import { evictionsPerSecond, zoneState } from './zones.ts'

const start = Date.parse('2026-01-01T00:00:00Z')
const time = (seconds: number): string => new Date(start + seconds * 1000).toISOString().replace('.000Z', 'Z')
const grace = { monitor: 50_000, startup: 60_000 }

function node(ready: 'True' | 'False' | 'Unknown' | undefined, more: { heartbeat?: number; taints?: Taint[]; unschedulable?: boolean; conditions?: { type: string; status: 'True' | 'False' | 'Unknown' }[] } = {}): Node {
  const conditions = [...(ready === undefined ? [] : [{ type: 'Ready', status: ready, reason: 'KubeletReady', lastHeartbeatTime: time(more.heartbeat ?? 0) }]), ...more.conditions ?? []]
  return { metadata: { name: 'n', creationTimestamp: time(0) }, spec: { taints: more.taints, unschedulable: more.unschedulable }, status: { conditions } }
}
const lease = (seconds: number): Lease => ({ metadata: { name: 'n' }, spec: { renewTime: time(seconds) } })

describe('silence', () => {
  /** Looks at a node at several times and says when it is first found silent. */
  const firstSilent = (at: (second: number) => [Node, Lease | undefined], until: number): number | undefined => {
    let health: NodeHealth | undefined
    for (let second = 0; second <= until; second += 5) {
      const [seen, renewed] = at(second)
      health = observe(seen, renewed, health, start + second * 1000)
      if (silentConditions(seen, health, grace, start + second * 1000) !== undefined) return second
    }
    return undefined
  }
  test('is a heartbeat and a lease that both stopped for the grace period', () => {
    expect(firstSilent(() => [node('True'), lease(0)], 200)).toBe(55)
  })
  test('is not a lease that is renewed, nor a status that is posted', () => {
    expect(firstSilent((second) => [node('True'), lease(second)], 200)).toBeUndefined()
    expect(firstSilent((second) => [node('True', { heartbeat: second }), undefined], 200)).toBeUndefined()
  })
  test('of a node that never posted counts from its creation', () => {
    expect(firstSilent(() => [node(undefined), undefined], 200)).toBe(65)
  })
  test('makes the conditions of a kubelet unknown, and only those', () => {
    const silent = silentConditions(node('True', { conditions: [{ type: 'MemoryPressure', status: 'False' }, { type: 'Custom', status: 'True' }] }), { heartbeat: '', renewTime: '', probedAt: start }, grace, start + 60_000)
    expect(silent?.map((c) => [c.type, c.status, c.reason])).toEqual([
      ['Ready', 'Unknown', 'NodeStatusUnknown'], ['MemoryPressure', 'Unknown', 'NodeStatusUnknown'], ['Custom', 'True', undefined],
      ['DiskPressure', 'Unknown', 'NodeStatusNeverUpdated'], ['PIDPressure', 'Unknown', 'NodeStatusNeverUpdated'],
    ])
    const said: Node = { ...node('Unknown'), status: { conditions: silent } }
    expect(silentConditions(said, { heartbeat: '', renewTime: '', probedAt: start }, grace, start + 90_000)).toBeUndefined()
  })
})

describe('taints', () => {
  const mine: Taint = { key: 'team', effect: 'NoSchedule', value: 'a' }
  const old: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule', timeAdded: time(-100) }
  const now = time(0)
  const cases: [string, Node, string | undefined, Taint[] | undefined][] = [
    ['none for a good node', node('True', { taints: [mine] }), undefined, undefined],
    ['not-ready', node('False', { taints: [mine] }), 'node.kubernetes.io/not-ready', [mine, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule', timeAdded: now }, { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: now }]],
    ['nothing new where they are there', node('False', { taints: [old] }), undefined, undefined],
    ['unreachable instead of not-ready', node('Unknown', { taints: [old] }), undefined, [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule', timeAdded: now }]],
    ['held back: what is there stays', node('False', { taints: [old, { ...old, effect: 'NoExecute' }] }), 'keep', undefined],
    ['gone with the condition', node('True', { taints: [old, { ...old, effect: 'NoExecute' }, mine] }), undefined, [mine]],
    ['cordoned and short of memory', node('True', { unschedulable: true, conditions: [{ type: 'MemoryPressure', status: 'True' }] }), undefined, [{ key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule', timeAdded: now }, { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: now }]],
  ]
  test.each(cases)('%s', (_name, given, noExecute, want) => {
    expect(wantedTaints(given, noExecute, start)).toEqual(want)
  })
  test('a node is given up by its Ready condition', () => {
    expect([noExecuteKey(node('True')), noExecuteKey(node('False')), noExecuteKey(node('Unknown')), noExecuteKey(node(undefined))]).toEqual([undefined, 'node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable', undefined])
  })
})

test.each([
  ['all up', 3, 0, 'Normal', 0.1], ['one of three down', 2, 1, 'Normal', 0.1], ['two of three down: too few to tell', 1, 2, 'Normal', 0.1],
  ['three of five down', 2, 3, 'PartialDisruption', 0], ['most of many down', 20, 40, 'PartialDisruption', 0.01], ['all down', 0, 2, 'FullDisruption', 0.1],
] as const)('a zone with %s', (_name, up, down, state, rate) => {
  const nodes = [...Array<Node>(up).fill(node('True')), ...Array<Node>(down).fill(node('Unknown'))]
  expect(zoneState(nodes, defaultSettings)).toBe(state)
  expect(evictionsPerSecond(state, nodes.length, false, defaultSettings)).toBe(rate)
  expect(evictionsPerSecond(state, nodes.length, true, defaultSettings)).toBe(0)
})
