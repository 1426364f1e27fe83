import type { Job, JobSpec, JobStatus } from '@berth/api/types/batch/v1'
import type { Pod, PodStatus } from '@berth/api/types/core/v1'
import { describe, expect, test } from 'vitest'
import { nextRecord, remainingForIndexMs, remainingMs } from './backoff.ts'
import { countIndexes, firstMissing, formatIndexes, indexesOf, merge, overlap, parseIndexes } from './indexes.ts'
import { podOf } from './pod-template.ts'
import { matchFailurePolicy, matchSuccessPolicy } from './policies.ts'
import { endOf, isComplete, stateOf, wantedActive } from './state.ts'
import { settled, track } from './track.ts'
import { expiry } from './ttl-controller.ts'

const now = Date.parse('2026-05-01T12:00:00Z')

function jobWith(spec: Partial<JobSpec> = {}, status?: JobStatus): Job {
  return { metadata: { name: 'j', namespace: 'n', uid: 'job' }, spec: { parallelism: 1, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }, ...spec }, ...(status === undefined ? {} : { status }) } as Job
}

function podWith(name: string, status: PodStatus, annotations: Record<string, string> = {}): Pod {
  return { metadata: { name, namespace: 'n', uid: name, creationTimestamp: '2026-05-01T11:00:00Z', finalizers: ['batch.kubernetes.io/job-tracking'], annotations }, spec: { containers: [{ name: 'c', image: 'i' }] }, status } as Pod
}

const at = (index: number, more: Record<string, string> = {}): Record<string, string> => ({ 'batch.kubernetes.io/job-completion-index': String(index), ...more })
const ended = (exitCode: number, finishedAt = '2026-05-01T11:59:55Z'): PodStatus => ({ phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [{ name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode, finishedAt } } }] })
const state = (job: Job, pods: Pod[]): ReturnType<typeof stateOf> => stateOf(job, pods, new Set(), undefined)

describe('indexes', () => {
  test.each([['', []], ['1', [[1, 1]]], ['1,2', [[1, 2]]], ['0-3,5,8-20', [[0, 3], [5, 5], [8, 9]]], ['x,3', [[3, 3]]], ['12', []]])('%j of ten is %j', (text, wanted) => {
    expect(parseIndexes(text, 10)).toEqual(wanted)
  })
  test.each([[[3, 1, 2], '1-3'], [[0, 1], '0,1'], [[5], '5'], [[], ''], [[0, 2, 3, 4, 9], '0,2-4,9']])('%j is written %j', (numbers, wanted) => {
    expect(formatIndexes(indexesOf(numbers))).toBe(wanted)
  })
  test('sums and gaps', () => {
    const some = parseIndexes('0-2,5', 10)
    expect(countIndexes(some)).toBe(4)
    expect(formatIndexes(merge(some, parseIndexes('3,4,7', 10)))).toBe('0-5,7')
    expect(firstMissing(some, 3, 10)).toEqual([3, 4, 6])
    expect(firstMissing(some, 9, 7)).toEqual([3, 4, 6])
    expect(overlap(parseIndexes('1-5', 10), some)).toBe(3)
  })
})

describe('policies', () => {
  const rule = (action: string, values: number[], operator = 'In', containerName?: string): object => ({ action, onExitCodes: { operator, values, ...(containerName === undefined ? {} : { containerName }) } })
  test.each<[what: string, rules: object[], status: PodStatus, counts: boolean, action: string | undefined, message?: string]>([
    ['no rule', [], ended(1), true, undefined],
    ['the first that matches', [rule('Ignore', [1]), rule('FailJob', [1])], ended(1), false, 'Ignore'],
    ['another code', [rule('Ignore', [2])], ended(1), true, undefined],
    ['none of the codes', [rule('FailIndex', [2], 'NotIn')], ended(1), true, 'FailIndex'],
    ['another container', [rule('Ignore', [1], 'In', 'd')], ended(1), true, undefined],
    ['the job', [rule('Count', [9]), rule('FailJob', [1])], ended(1), true, 'FailJob', 'Container c for pod n/p failed with exit code 1 matching FailJob rule at index 1'],
    ['a condition', [{ action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }], { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True' }] }, true, 'FailJob', 'Pod n/p has condition DisruptionTarget matching FailJob rule at index 0'],
    ['a condition that does not hold', [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }], { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'False' }] }, true, undefined],
  ])('failure: %s', (_what, rules, status, counts, action, message) => {
    expect(matchFailurePolicy({ rules } as JobSpec['podFailurePolicy'], podWith('p', status))).toEqual({ counts, ...(action === undefined ? {} : { action }), ...(message === undefined ? {} : { failsJob: message }) })
  })
  test.each<[rules: object[], succeeded: string, wanted: string | undefined]>([
    [[{ succeededIndexes: '0-2' }], '0-3', 'Matched rules at index 0'],
    [[{ succeededIndexes: '0-2' }], '0,1', undefined],
    [[{ succeededIndexes: '0-2', succeededCount: 2 }], '0,1', 'Matched rules at index 0'],
    [[{ succeededIndexes: '9' }, { succeededCount: 2 }], '3,4', 'Matched rules at index 1'],
    [[{ succeededCount: 2 }], '3', undefined],
    [[{ succeededCount: 0 }], '', undefined],
  ])('success: %j with %s', (rules, succeeded, wanted) => {
    expect(matchSuccessPolicy({ rules } as JobSpec['successPolicy'], 10, parseIndexes(succeeded, 10))).toBe(wanted)
  })
})

describe('waiting after failures', () => {
  test.each([[0, 0, 0], [1, 0, 10_000], [1, 4000, 6000], [2, 0, 20_000], [7, 0, 600_000], [40, 0, 600_000], [1, 60_000, 0]])('%d failures, the last %d ms ago: %d ms', (failures, ago, wanted) => {
    expect(remainingMs({ failures, lastFailure: now - ago }, now)).toBe(wanted)
  })
  test('a success begins the count anew', () => {
    const failed = podWith('f', ended(1, '2026-05-01T11:59:00Z'))
    const good = podWith('s', ended(0, '2026-05-01T11:59:30Z'))
    const later = podWith('l', ended(1, '2026-05-01T11:59:40Z'))
    expect(nextRecord({ failures: 2, lastFailure: 1 }, [], [failed])).toEqual({ failures: 3, lastFailure: Date.parse('2026-05-01T11:59:00Z') })
    expect(nextRecord({ failures: 2, lastFailure: 1 }, [good], [failed])).toEqual({ failures: 0 })
    expect(nextRecord(undefined, [good], [failed, later])).toEqual({ failures: 1, lastFailure: Date.parse('2026-05-01T11:59:40Z') })
  })
  test('an index waits by its own failures, those ignored too', () => {
    expect(remainingForIndexMs(podWith('p', ended(1), at(0, { 'batch.kubernetes.io/job-index-failure-count': '1', 'batch.kubernetes.io/job-index-ignored-failure-count': '1' })), now)).toBe(35_000)
    expect(remainingForIndexMs(undefined, now)).toBe(0)
  })
})

describe('the end of a job', () => {
  const indexed = { completionMode: 'Indexed' as const, completions: 3 }
  test.each<[what: string, spec: Partial<JobSpec>, status: JobStatus | undefined, pods: Pod[], wanted: [string, string] | undefined]>([
    ['goes on', { backoffLimit: 1 }, undefined, [podWith('a', ended(1))], undefined],
    ['too many failures', { backoffLimit: 1 }, { failed: 1 }, [podWith('a', ended(1))], ['FailureTarget', 'BackoffLimitExceeded']],
    ['the time is up', { activeDeadlineSeconds: 60 }, { startTime: '2026-05-01T11:59:00Z' }, [], ['FailureTarget', 'DeadlineExceeded']],
    ['the time stands still while suspended', { activeDeadlineSeconds: 60, suspend: true }, { startTime: '2026-05-01T11:59:00Z' }, [], undefined],
    ['decided before', {}, { conditions: [{ type: 'FailureTarget', status: 'True', reason: 'X', message: 'y' }] }, [], ['Failed', 'X']],
    ['success decided before', {}, { conditions: [{ type: 'SuccessCriteriaMet', status: 'True', reason: 'SuccessPolicy', message: 'y' }] }, [], ['SuccessCriteriaMet', 'SuccessPolicy']],
    ['restarts in place', { backoffLimit: 2, template: { spec: { restartPolicy: 'OnFailure', containers: [] } } }, undefined, [podWith('a', { phase: 'Running', containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: 2 }] })], ['FailureTarget', 'BackoffLimitExceeded']],
    ['some indexes failed', { ...indexed, backoffLimitPerIndex: 0 }, { completedIndexes: '1,2' }, [podWith('a', ended(1), at(0))], ['FailureTarget', 'FailedIndexes']],
    ['too many indexes failed', { ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 0 }, undefined, [podWith('a', ended(1), at(0))], ['FailureTarget', 'MaxFailedIndexesExceeded']],
    ['an index may try again', { ...indexed, backoffLimitPerIndex: 1 }, { completedIndexes: '1,2' }, [podWith('a', ended(1), at(0))], undefined],
    ['an index has tried', { ...indexed, backoffLimitPerIndex: 1 }, { completedIndexes: '1,2' }, [podWith('a', ended(1), at(0, { 'batch.kubernetes.io/job-index-failure-count': '1' }))], ['FailureTarget', 'FailedIndexes']],
    ['the success policy', { ...indexed, successPolicy: { rules: [{ succeededCount: 1 }] } }, undefined, [podWith('a', ended(0), at(2))], ['SuccessCriteriaMet', 'SuccessPolicy']],
  ])('%s', (_what, spec, status, pods, wanted) => {
    const end = endOf(state(jobWith(spec, status), pods), now)
    expect(end && [end.type, end.reason]).toEqual(wanted)
  })

  test.each<[spec: Partial<JobSpec>, status: JobStatus, complete: boolean, wanted: number]>([
    [{ completions: 3, parallelism: 2 }, { succeeded: 1 }, false, 2],
    [{ completions: 3, parallelism: 2 }, { succeeded: 2 }, false, 1],
    [{ completions: 3, parallelism: 2 }, { succeeded: 3 }, true, 0],
    [{ parallelism: 2 }, {}, false, 2],
    [{ parallelism: 2 }, { succeeded: 1 }, true, 0],
    [{ parallelism: 2, suspend: true }, {}, false, 0],
    [{ completions: 0 }, {}, true, 0],
  ])('%j with %j: complete %j, %d pods wanted', (spec, status, complete, wanted) => {
    const seen = state(jobWith(spec, status), [])
    expect([isComplete(seen, 0), wantedActive(seen)]).toEqual([complete, wanted])
  })
})

describe('counting', () => {
  test('ended pods are named before they are let go, and counted when their finalizer is gone', () => {
    const found = track(state(jobWith({ completions: 3 }), [podWith('s', ended(0)), podWith('f', ended(1)), podWith('r', { phase: 'Running' })]), undefined, now)
    expect(found.status.uncountedTerminatedPods).toEqual({ succeeded: ['s'], failed: ['f'] })
    expect(found.release.map(({ metadata }) => metadata.name)).toEqual(['s', 'f'])
    expect(found.mustWrite).toBe(true)
    expect(settled(found.status, new Set(), false)).toMatchObject({ succeeded: 1, failed: 1, uncountedTerminatedPods: {} })
    expect(settled(found.status, new Set(['s']), false)).toMatchObject({ succeeded: 0, failed: 1, uncountedTerminatedPods: { succeeded: ['s'] } })
  })
  test('a failed pod of an index stays until its successor takes over its count', () => {
    const job = jobWith({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 2 })
    const failed = podWith('f', ended(1), at(0))
    expect(track(state(job, [failed]), undefined, now).release).toEqual([])
    expect(track(state(job, [failed, podWith('next', { phase: 'Running' }, at(0, { 'batch.kubernetes.io/job-index-failure-count': '1' }))]), undefined, now).release).toEqual([failed])
  })
  test('of a failing job all pods count, and the interim condition comes first', () => {
    const seen = state(jobWith({ backoffLimit: 0 }), [podWith('f', ended(1)), podWith('r', { phase: 'Running' })])
    const found = track(seen, endOf(seen, now), now)
    expect(found.status.uncountedTerminatedPods).toEqual({ failed: ['f', 'r'] })
    expect(found.status.conditions?.map(({ type }) => type)).toEqual(['FailureTarget'])
    expect(found.end).toMatchObject({ type: 'Failed', reason: 'BackoffLimitExceeded' })
  })
})

test('a replaced pod hands its count on', () => {
  const job = jobWith({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 2 })
  const pod = podOf(job, 1, podWith('f', ended(1), at(1, { 'batch.kubernetes.io/job-index-failure-count': '1' })))
  expect(pod.metadata).toMatchObject({ generateName: 'j-1-', labels: { 'batch.kubernetes.io/job-completion-index': '1' }, annotations: { 'batch.kubernetes.io/job-index-failure-count': '2' } })
  expect(pod.spec.hostname).toBe('j-1')
  const long = podOf({ ...job, metadata: { ...job.metadata, name: 'x'.repeat(63) } }, 10)
  expect(long.metadata.generateName).toBe(`${'x'.repeat(54)}-10-`)
})

test('a job expires some time after its end', () => {
  const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: '2026-05-01T12:00:00Z' }]
  expect(expiry(jobWith({ ttlSecondsAfterFinished: 5 }, { conditions } as JobStatus))).toBe(now + 5000)
  expect(expiry(jobWith({ ttlSecondsAfterFinished: 5 }))).toBeUndefined()
  expect(expiry(jobWith({}, { conditions } as JobStatus))).toBeUndefined()
})
