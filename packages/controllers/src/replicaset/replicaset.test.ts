import type { ReplicaSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { describe, expect, test } from 'vitest'
import { podsToDelete } from './deletion-rank.ts'
import { nextAvailability, replicaSetStatus, sameStatus } from './status.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString()

interface Facts { node?: string; phase?: 'Pending' | 'Running' | 'Unknown'; ready?: number; created?: number; restarts?: number; cost?: string; uid?: string; labels?: Record<string, string> }
function pod(name: string, { node = 'n1', phase = 'Running', ready, created = 100, restarts = 0, cost, uid = name, labels }: Facts = {}): Pod {
  return {
    metadata: { name, uid, creationTimestamp: ago(created), labels, ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }) },
    spec: { nodeName: node === '' ? undefined : node, containers: [] },
    status: { phase, ...(ready === undefined ? {} : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: ago(ready) }] }), containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }] },
  }
}

describe('the first pod to go', () => {
  test.each([
    ['has no node', pod('a', { node: '' }), pod('b')],
    ['is pending', pod('a', { phase: 'Pending' }), pod('b', { phase: 'Unknown' })],
    ['is unknown rather than running', pod('a', { phase: 'Unknown' }), pod('b')],
    ['is not ready', pod('a'), pod('b', { ready: 50 })],
    ['is cheap', pod('a', { ready: 50, cost: '-5' }), pod('b', { ready: 50 })],
    ['has a neighbour', pod('a', { ready: 50, node: 'crowded' }), pod('b', { ready: 5 })],
    ['became ready later, by an order of magnitude', pod('a', { ready: 10 }), pod('b', { ready: 1000 })],
    ['restarted more', pod('a', { ready: 50, restarts: 3 }), pod('b', { ready: 50 })],
    ['is younger, by an order of magnitude', pod('a', { ready: 50, created: 60 }), pod('b', { ready: 50, created: 6000 })],
    ['has the lower uid where ages are alike', pod('a', { ready: 1000, uid: '1' }), pod('b', { ready: 1001, uid: '2' })],
  ])('%s', (_name, first, second) => {
    const neighbours = new Map([['crowded', 3], ['n1', 1]])
    for (const order of [[first, second], [second, first]]) expect(podsToDelete(order, neighbours, 1, now).map((p) => p.metadata.name)).toEqual(['a'])
  })

  test('a cost that is no integer does not count', () => {
    expect(podsToDelete([pod('a', { ready: 1000, cost: '01' }), pod('b', { ready: 1 })], new Map(), 1, now)[0]?.metadata.name).toBe('b')
  })
})

const set: ReplicaSet = { metadata: { name: 's', generation: 3 }, spec: { replicas: 3, minReadySeconds: 30, selector: {}, template: { metadata: { name: '', labels: { app: 'a', tier: 'x' } } } } }

test('the status counts pods that are ready, available for long enough and fully labelled', () => {
  const pods = [pod('a', { ready: 60, labels: { app: 'a', tier: 'x' } }), pod('b', { ready: 10, labels: { app: 'a' } }), pod('c')]
  expect(replicaSetStatus(set, pods, 1, undefined, now)).toEqual({ replicas: 3, fullyLabeledReplicas: 1, readyReplicas: 2, availableReplicas: 1, terminatingReplicas: 1, observedGeneration: 3 })
  expect(nextAvailability(set, pods, now)).toBe(20_001)
})

test('a failure is a condition from its first time until it is over', () => {
  const failed = replicaSetStatus(set, [], 0, { reason: 'FailedCreate', message: 'quota' }, now)
  expect(failed.conditions).toEqual([{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota', lastTransitionTime: '2026-01-01T12:00:00Z' }])
  const again = replicaSetStatus({ ...set, status: failed }, [], 0, { reason: 'FailedCreate', message: 'other' }, now + 5000)
  expect(sameStatus(failed, again)).toBe(true)
  expect(replicaSetStatus({ ...set, status: failed }, [], 0, undefined, now).conditions).toBeUndefined()
})
