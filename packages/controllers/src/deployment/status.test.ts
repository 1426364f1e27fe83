import type { Deployment, DeploymentStatus, ReplicaSet } from '@berth/api/types/apps/v1'
import { describe, expect, test } from 'vitest'
import { baseStatus, rolloutStatus, untilDeadline } from './status.ts'

const now = Date.parse('2026-01-01T00:10:00Z')
const minutesAgo = (n: number): string => new Date(now - n * 60_000).toISOString().replace('.000Z', 'Z')

function deployment(status: DeploymentStatus, spec: Partial<Deployment['spec']> = {}): Deployment {
  return { metadata: { name: 'web', generation: 2 }, spec: { replicas: 2, progressDeadlineSeconds: 300, selector: {}, template: { metadata: { name: '' } }, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }, ...spec }, status }
}

function set(name: string, replicas: number, available: number, conditions: NonNullable<ReplicaSet['status']>['conditions'] = []): ReplicaSet {
  return { metadata: { name }, spec: { replicas, selector: {} }, status: { replicas, readyReplicas: available, availableReplicas: available, conditions } }
}

const progressing = (reason: string, updated: number, status: 'True' | 'False' = 'True'): NonNullable<DeploymentStatus['conditions']>[number] => ({ type: 'Progressing', status, reason, message: 'before', lastUpdateTime: minutesAgo(updated), lastTransitionTime: minutesAgo(9) })

describe('availability', () => {
  test.each([
    [2, 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.'],
    [1, 'False', 'MinimumReplicasUnavailable', 'Deployment does not have minimum availability.'],
  ])('with %d of 2 it is %s', (available, status, reason, message) => {
    const got = baseStatus(deployment({}), [set('a', 2, available)], undefined, now)
    expect(got).toMatchObject({ replicas: 2, availableReplicas: available, unavailableReplicas: 2 - available, observedGeneration: 2, conditions: [{ type: 'Available', status, reason, message }] })
  })

  test('its transition time moves only when it changes', () => {
    const known = { type: 'Available', status: 'True' as const, reason: 'MinimumReplicasAvailable', message: 'm', lastUpdateTime: minutesAgo(5), lastTransitionTime: minutesAgo(5) }
    expect(baseStatus(deployment({ conditions: [known] }), [set('a', 2, 2)], undefined, now).conditions).toEqual([known])
    expect(baseStatus(deployment({ conditions: [known] }), [set('a', 2, 1)], undefined, now).conditions?.[0]).toMatchObject({ status: 'False', lastTransitionTime: minutesAgo(0) })
  })
})

describe('progress', () => {
  const cases: [string, DeploymentStatus, ReplicaSet[], ReplicaSet | undefined, object | undefined][] = [
    ['complete: all updated and available', { replicas: 2, updatedReplicas: 1, conditions: [progressing('ReplicaSetUpdated', 1)] }, [], set('new', 2, 2), { status: 'True', reason: 'NewReplicaSetAvailable', message: 'ReplicaSet "new" has successfully progressed.' }],
    ['more updated than before', { replicas: 3, updatedReplicas: 0, conditions: [progressing('NewReplicaSetCreated', 1)] }, [set('old', 2, 2)], set('new', 1, 0), { status: 'True', reason: 'ReplicaSetUpdated', message: 'ReplicaSet "new" is progressing.', lastUpdateTime: minutesAgo(0), lastTransitionTime: minutesAgo(9) }],
    ['nothing moved, within the deadline', { replicas: 3, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2, conditions: [progressing('ReplicaSetUpdated', 4)] }, [set('old', 2, 2)], set('new', 1, 0), { reason: 'ReplicaSetUpdated', message: 'before' }],
    ['nothing moved, beyond the deadline', { replicas: 3, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2, conditions: [progressing('ReplicaSetUpdated', 6)] }, [set('old', 2, 2)], set('new', 1, 0), { status: 'False', reason: 'ProgressDeadlineExceeded', message: 'ReplicaSet "new" has timed out progressing.' }],
    ['late, and then complete after all', { replicas: 2, updatedReplicas: 2, conditions: [progressing('ProgressDeadlineExceeded', 6, 'False')] }, [], set('new', 2, 2), { status: 'True', reason: 'NewReplicaSetAvailable' }],
    ['once complete it stays so, also when a pod fails later', { replicas: 2, updatedReplicas: 2, availableReplicas: 2, conditions: [progressing('NewReplicaSetAvailable', 60)] }, [], set('new', 2, 1), { reason: 'NewReplicaSetAvailable', message: 'before' }],
  ]
  test.each(cases)('%s', (_name, before, old, newSet, want) => {
    const got = rolloutStatus(deployment(before), newSet === undefined ? old : [...old, newSet], newSet, now)
    expect(got.conditions?.find((c) => c.type === 'Progressing')).toMatchObject(want ?? {})
  })

  test('without a deadline there is no condition', () => {
    const got = rolloutStatus(deployment({ conditions: [progressing('ReplicaSetUpdated', 6)] }, { progressDeadlineSeconds: 2147483647 }), [set('new', 2, 0)], set('new', 2, 0), now)
    expect(got.conditions?.map((c) => c.type)).toEqual(['Available'])
  })

  test('the failure of a set is the Deployment’s, and goes with it', () => {
    const failed = set('new', 2, 0, [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }])
    const got = rolloutStatus(deployment({}), [failed], failed, now)
    expect(got.conditions?.find((c) => c.type === 'ReplicaFailure')).toMatchObject({ status: 'True', reason: 'FailedCreate', message: 'quota' })
    expect(rolloutStatus(deployment(got), [set('new', 2, 0)], set('new', 2, 0), now).conditions?.some((c) => c.type === 'ReplicaFailure')).toBe(false)
  })

  test('the deadline is waited for only while something is to come', () => {
    const status = { replicas: 3, conditions: [progressing('ReplicaSetUpdated', 4)] }
    expect(untilDeadline(deployment(status), status, now)).toBe(60_000)
    const done = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, observedGeneration: 2, conditions: [progressing('NewReplicaSetAvailable', 4)] }
    expect(untilDeadline(deployment(done), done, now)).toBeUndefined()
  })
})
