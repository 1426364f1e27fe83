import type { Container, PodStatus } from '@berth/api/types/core/v1'
import { describe, expect, it } from 'vitest'
import { podStatus, type StatusInput } from './pod-status.ts'
import { testPod, testRecord, testRuntime, testSandbox } from './test-pods.ts'

const a: Container = { name: 'a', image: 'img' }
const init: Container = { name: 'i', image: 'img' }
const side: Container = { name: 'side', image: 'img', restartPolicy: 'Always' }

const compute = (more: Partial<StatusInput>): PodStatus =>
  podStatus({
    pod: testPod(), runtime: testRuntime(), previous: {}, failures: new Map(), probes: { started: () => true, ready: () => true }, runtimeName: 'docker', hostIps: ['192.0.2.1'], now: 1_700_000_000_000,
    terminal: false, ...more,
  })
const verdicts = (s: PodStatus): string => (s.conditions ?? []).map((c) => `${c.type}=${c.status}${c.reason ? `(${c.reason}${c.message ? `: ${c.message}` : ''})` : ''}`).join('; ')

describe('the status of a pod', () => {
  it('of a new pod waits for its containers', () => {
    const s = compute({ runtime: testRuntime([], []) })
    expect(s).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort', startTime: '2023-11-14T22:13:20Z', hostIP: '192.0.2.1', containerStatuses: [{ name: 'a', ready: false, restartCount: 0, started: false, state: { waiting: { reason: 'ContainerCreating' } } }] })
    expect(s.podIP).toBeUndefined()
    expect(verdicts(s)).toBe('PodReadyToStartContainers=False; Initialized=True; Ready=False(ContainersNotReady: containers with unready status: [a]); ContainersReady=False(ContainersNotReady: containers with unready status: [a]); PodScheduled=True')
  })

  it('of a running pod has addresses, states and conditions', () => {
    const s = compute({ runtime: testRuntime([testRecord(a, 'running')]) })
    expect(s).toMatchObject({ phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], containerStatuses: [{ containerID: 'docker://a-0', imageID: 'sha256:1', ready: true, started: true, state: { running: { startedAt: '1970-01-01T00:00:01Z' } } }] })
    expect(verdicts(s)).toBe('PodReadyToStartContainers=True; Initialized=True; Ready=True; ContainersReady=True; PodScheduled=True')
  })

  it('keeps the transition time of a condition that did not change, and the conditions of others', () => {
    const previous: PodStatus = { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' }, { type: 'PodScheduled', status: 'True', lastTransitionTime: '2019-01-01T00:00:00Z' }, { type: 'example.com/gate', status: 'False' }] }
    const s = compute({ runtime: testRuntime([testRecord(a, 'running')]), previous })
    expect(s.conditions?.find((c) => c.type === 'Ready')?.lastTransitionTime).toBe('2020-01-01T00:00:00Z')
    expect(s.conditions?.find((c) => c.type === 'PodScheduled')?.lastTransitionTime).toBe('2019-01-01T00:00:00Z')
    expect(s.conditions?.find((c) => c.type === 'example.com/gate')).toEqual({ type: 'example.com/gate', status: 'False' })
  })

  it.each([
    ['does not exist', [], 'corresponding condition of pod readiness gate "g" does not exist.'],
    ['is False', [{ type: 'g', status: 'False' as const }], 'the status of pod readiness gate "g" is not "True", but False'],
  ])('is not ready while a readiness gate %s', (_, conditions, message) => {
    const s = compute({ pod: testPod({ readinessGates: [{ conditionType: 'g' }] }), runtime: testRuntime([testRecord(a, 'running')]), previous: { conditions } })
    expect(s.conditions?.find((c) => c.type === 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady', message })
    expect(s.conditions?.find((c) => c.type === 'ContainersReady')?.status).toBe('True')
  })

  it('says why a container does not start, and keeps its last state', () => {
    const s = compute({ runtime: testRuntime([testRecord(a, 'exited', { exitCode: 2, restartCount: 1 })]), failures: new Map([['a', { reason: 'CrashLoopBackOff', message: 'back-off' }]]) })
    expect(s.phase).toBe('Running')
    expect(s.containerStatuses?.[0]).toMatchObject({ restartCount: 1, ready: false, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }, lastState: { terminated: { exitCode: 2, reason: 'Error' } } })
  })

  it.each([
    ['Always', false, 0, 'Running'], ['OnFailure', false, 0, 'Succeeded'], ['OnFailure', false, 1, 'Running'], ['Never', false, 1, 'Failed'], ['Never', false, 0, 'Succeeded'],
    ['Always', true, 0, 'Succeeded'], ['Always', true, 137, 'Failed'],
  ] as const)('with %s (stopped for good: %s) and exit code %i is %s', (restartPolicy, terminal, exitCode, phase) => {
    expect(compute({ pod: testPod({ restartPolicy }), runtime: testRuntime([testRecord(a, 'exited', { exitCode })]), terminal }).phase).toBe(phase)
  })

  it('is over when no container starts again by its own policy, whatever the pod\'s is', () => {
    const pod = testPod({ containers: [{ ...a, restartPolicy: 'Never' }] })
    expect(compute({ pod, runtime: testRuntime([testRecord(a, 'exited', { exitCode: 1 })]) }).phase).toBe('Failed')
  })

  it('is Pending while init containers run, and not Initialized', () => {
    const pod = testPod({ initContainers: [init], containers: [a] })
    const s = compute({ pod, runtime: testRuntime([testRecord(init, 'running')]) })
    expect(s.phase).toBe('Pending')
    expect(s.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
    expect(s.conditions?.find((c) => c.type === 'Initialized')).toMatchObject({ status: 'False', reason: 'ContainersNotInitialized', message: 'containers with incomplete status: [i]' })
  })

  it('fails with an init container that failed, where nothing restarts', () => {
    expect(compute({ pod: testPod({ initContainers: [init], restartPolicy: 'Never' }), runtime: testRuntime([testRecord(init, 'exited', { exitCode: 1 })]) }).phase).toBe('Failed')
  })

  it('is not over while a sidecar still runs, and its exit code does not matter', () => {
    const pod = testPod({ initContainers: [side], containers: [a], restartPolicy: 'Never' })
    expect(compute({ pod, runtime: testRuntime([testRecord(side, 'running'), testRecord(a, 'exited')]) }).phase).toBe('Running')
    expect(compute({ pod, runtime: testRuntime([testRecord(side, 'exited', { exitCode: 137 }), testRecord(a, 'exited')]) }).phase).toBe('Succeeded')
  })

  it('never goes back from a final phase', () => {
    expect(compute({ runtime: testRuntime([testRecord(a, 'running')]), previous: { phase: 'Failed', reason: 'Evicted' } })).toMatchObject({ phase: 'Failed', reason: 'Evicted' })
  })

  it('of a deleted pod that never started is Failed, with nothing left waiting', () => {
    const s = compute({ pod: testPod({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), runtime: testRuntime([], []), terminal: true })
    expect(s.phase).toBe('Failed')
    expect(s.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated' })
  })

  it('counts a restart for a container that was running and cannot be found', () => {
    const previous: PodStatus = { containerStatuses: [{ name: 'a', image: 'img', imageID: '', ready: true, restartCount: 2, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }] }
    expect(compute({ runtime: testRuntime([], []), previous }).containerStatuses?.[0]).toMatchObject({ restartCount: 3, lastState: { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } } })
  })

  it('has the node\'s addresses in the host\'s network', () => {
    const s = compute({ pod: testPod({ hostNetwork: true }), runtime: testRuntime([testRecord(a, 'running')], [testSandbox({ hostNetwork: true, ips: [] })]) })
    expect(s).toMatchObject({ podIP: '192.0.2.1', hostIP: '192.0.2.1' })
  })
})
