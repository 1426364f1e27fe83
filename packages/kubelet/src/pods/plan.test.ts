import type { Container, Pod } from '@berth/api/types/core/v1'
import { describe, expect, it } from 'vitest'
import type { PodRuntime } from '../runtime/records.ts'
import { type PodPlan, planPod, type ProbeResult, type ProbeResults } from './plan.ts'
import { testPod, testRecord, testRuntime, testSandbox } from './test-pods.ts'

const a: Container = { name: 'a', image: 'img' }
const b: Container = { name: 'b', image: 'img' }
const i1: Container = { name: 'i1', image: 'img' }
const i2: Container = { name: 'i2', image: 'img' }
const side: Container = { name: 'side', image: 'img', restartPolicy: 'Always' }
const probed: Container = { ...side, startupProbe: { exec: { command: ['x'] } } }

const noProbes: ProbeResults = { startup: () => undefined, liveness: () => undefined }
const says = (kind: 'startup' | 'liveness', result: ProbeResult): ProbeResults => ({ ...noProbes, [kind]: () => result })

/** The plan in one line: what is killed, whether the pod is, whether a sandbox is made, what is started. */
const summary = (plan: PodPlan): string =>
  [
    plan.killPod ? 'kill-pod' : '', ...plan.kills.map((k) => `kill(${k.record.name}: ${k.message})`), plan.createSandbox ? `sandbox(${plan.createSandbox.attempt})` : '',
    ...plan.starts.map((s) => `start(${s.spec.name})`),
  ].filter((t) => t !== '').join(' ')

const always = testPod({ containers: [a, b] })
const never = testPod({ containers: [a, b], restartPolicy: 'Never' })
const onFailure = testPod({ containers: [a, b], restartPolicy: 'OnFailure' })
const withInit = testPod({ initContainers: [i1, i2], containers: [a] })
const withInitNever = testPod({ initContainers: [i1, i2], containers: [a], restartPolicy: 'Never' })
const withSide = testPod({ initContainers: [i1, side, i2], containers: [a] })

describe('what is done with a pod that shall run', () => {
  it.each<[string, Pod, PodRuntime, ProbeResults, string]>([
    ['a new pod gets a sandbox and all containers', always, testRuntime([], []), noProbes, 'kill-pod sandbox(0) start(a) start(b)'],
    ['a new pod with init containers starts the first of them', withInit, testRuntime([], []), noProbes, 'kill-pod sandbox(0) start(i1)'],
    ['what runs is left alone', always, testRuntime([testRecord(a, 'running'), testRecord(b, 'running')]), noProbes, ''],
    ['an exited container starts again', always, testRuntime([testRecord(a, 'exited'), testRecord(b, 'running')]), noProbes, 'start(a)'],
    ['one that was made but never started is made anew', always, testRuntime([testRecord(a, 'created'), testRecord(b, 'running')]), noProbes, 'start(a)'],
    ['OnFailure restarts failures only', onFailure, testRuntime([testRecord(a, 'exited'), testRecord(b, 'exited', { exitCode: 1 })]), noProbes, 'start(b)'],
    ['Never restarts nothing', never, testRuntime([testRecord(a, 'exited', { exitCode: 1 }), testRecord(b, 'running')]), noProbes, ''],
    ['a pod that is done is stopped', never, testRuntime([testRecord(a, 'exited'), testRecord(b, 'exited', { exitCode: 1 })]), noProbes, 'kill-pod'],
    ['a dead sandbox is replaced with everything in it', always, testRuntime([testRecord(a, 'exited'), testRecord(b, 'exited')], [testSandbox({ ready: false })]), noProbes, 'kill-pod sandbox(1) start(a) start(b)'],
    ['a sandbox without an address is replaced', always, testRuntime([], [testSandbox({ ips: [] })]), noProbes, 'kill-pod sandbox(1) start(a) start(b)'],
    ['two ready sandboxes are one too many', always, testRuntime([], [testSandbox({ id: 's2', attempt: 1 }), testSandbox()]), noProbes, 'kill-pod sandbox(2) start(a) start(b)'],
    ['a host network pod needs no address', testPod({ hostNetwork: true }), testRuntime([testRecord(a, 'running')], [testSandbox({ ips: [], hostNetwork: true })]), noProbes, ''],
    ['a new sandbox of a finished pod would have nothing to do', never, testRuntime([testRecord(a, 'exited'), testRecord(b, 'exited')], [testSandbox({ ready: false })]), noProbes, 'kill-pod'],
    ['what has succeeded is not run again in a new sandbox', onFailure, testRuntime([testRecord(a, 'exited'), testRecord(b, 'running')], [testSandbox({ ready: false })]), noProbes, 'kill-pod sandbox(1) start(b)'],
    ['a failed liveness probe restarts', always, testRuntime([testRecord(a, 'running')]), says('liveness', 'failure'), 'kill(a: Container a failed liveness probe, will be restarted) start(a) start(b)'],
    ['a failed startup probe ends the pod where nothing restarts', testPod({ restartPolicy: 'Never', containers: [a] }), testRuntime([testRecord(a, 'running')]), says('startup', 'failure'), 'kill-pod kill(a: Container a failed startup probe)'],
    ['another image means another container', testPod({ containers: [{ ...a, image: 'new' }] }), testRuntime([testRecord(a, 'running')]), noProbes, 'kill(a: Container a definition changed, will be restarted) start(a)'],

    ['the next init container follows one that succeeded', withInit, testRuntime([testRecord(i1, 'exited')]), noProbes, 'start(i2)'],
    ['a running init container is waited for', withInit, testRuntime([testRecord(i1, 'running')]), noProbes, ''],
    ['a failed one is tried again', withInit, testRuntime([testRecord(i1, 'exited', { exitCode: 1 })]), noProbes, 'start(i1)'],
    ['with Never a failed one ends the pod', withInitNever, testRuntime([testRecord(i1, 'exited', { exitCode: 1 })]), noProbes, 'kill-pod'],
    ['after the last one the containers start', withInit, testRuntime([testRecord(i2, 'exited'), testRecord(i1, 'exited')]), noProbes, 'start(a)'],
    ['init containers whose instances are gone do not run again', withInit, testRuntime([testRecord(a, 'exited')]), noProbes, 'start(a)'],

    ['a running sidecar lets the next one start', withSide, testRuntime([testRecord(side, 'running'), testRecord(i1, 'exited')]), noProbes, 'start(i2)'],
    ['a sidecar with a startup probe holds the next one back', testPod({ initContainers: [probed, i2], containers: [a] }), testRuntime([testRecord(probed, 'running')]), noProbes, ''],
    ['until the probe succeeds', testPod({ initContainers: [probed, i2], containers: [a] }), testRuntime([testRecord(probed, 'running')]), says('startup', 'success'), 'start(i2)'],
    ['a sidecar that exits starts again, with the containers running', withSide, testRuntime([testRecord(side, 'exited'), testRecord(a, 'running')]), noProbes, 'start(side)'],
    ['a sidecar starts again even where the pod never restarts', testPod({ initContainers: [side], containers: [a], restartPolicy: 'Never' }), testRuntime([testRecord(side, 'exited', { exitCode: 1 }), testRecord(a, 'running')]), noProbes, 'start(side)'],
    ['when all containers are done the sidecar is stopped with the pod', testPod({ initContainers: [side], containers: [a], restartPolicy: 'Never' }), testRuntime([testRecord(side, 'running'), testRecord(a, 'exited')]), noProbes, 'kill-pod'],
  ])('%s', (_, pod, runtime, probes, expected) => {
    expect(summary(planPod(pod, runtime, probes))).toBe(expected)
  })

  it('starts nothing new in a pod that is being deleted', () => {
    const pod = testPod({}, { deletionTimestamp: '2026-01-01T00:00:00Z' })
    expect(planPod(pod, testRuntime([testRecord(a, 'exited')]), noProbes).starts).toEqual([])
  })

  it('restarts by a container\'s own rules before its policy and the pod\'s', () => {
    const c: Container = { ...a, restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] }
    expect(summary(planPod(testPod({ containers: [c, b] }), testRuntime([testRecord(c, 'exited', { exitCode: 42 }), testRecord(b, 'running')]), noProbes))).toBe('start(a)')
    expect(summary(planPod(testPod({ containers: [c, b] }), testRuntime([testRecord(c, 'exited', { exitCode: 1 }), testRecord(b, 'running')]), noProbes))).toBe('')
  })
})
