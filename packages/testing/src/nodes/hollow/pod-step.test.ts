import type { Pod, PodStatus } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { hollowAnnotations as say, instructionsOf } from './instructions.ts'
import { podStep, type PodStep } from './pod-step.ts'

const start = Date.parse('2026-01-01T00:00:00Z')
const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString().replace('.000Z', 'Z')

function podOf(given: { spec?: Partial<Pod['spec']>, metadata?: Partial<Pod['metadata']>, status?: PodStatus } = {}): Pod {
  return {
    metadata: { name: 'a', namespace: 'default', uid: 'u', generation: 1, creationTimestamp: at(0), ...given.metadata },
    spec: { nodeName: 'n', restartPolicy: 'Always', containers: [{ name: 'c', image: 'nginx' }], ...given.spec },
    ...(given.status && { status: given.status }),
  }
}

const step = (pod: Pod, seconds = 0): PodStep => podStep({ pod, said: instructionsOf(pod, 'complete'), now: start + seconds * 1000, began: () => undefined, hostIp: '172.31.0.2', podIp: '10.128.0.2' })

/** The pod with what a node would have written at these seconds, one after the other. */
function lived(pod: Pod, ...seconds: number[]): Pod {
  return seconds.reduce((now, second) => {
    const { status } = step(now, second)
    return status ? { ...now, status: { ...now.status, ...status } } : now
  }, pod)
}

const condition = (pod: Pod, type: string): string => {
  const found = pod.status?.conditions?.find((each) => each.type === type)
  return `${found?.status} ${found?.reason ?? ''}`.trim()
}
const state = (pod: Pod): string => {
  const { state: now, restartCount } = pod.status?.containerStatuses?.[0] ?? { restartCount: -1 }
  return `${Object.keys(now ?? {})[0]} ${now?.terminated?.exitCode ?? now?.waiting?.reason ?? ''} ${restartCount}`.replace('  ', ' ')
}

test('a pod that says nothing runs and is ready, and is left alone from then on', () => {
  const pod = lived(podOf(), 0)
  expect(pod.status).toMatchObject({ phase: 'Running', podIP: '10.128.0.2', podIPs: [{ ip: '10.128.0.2' }], hostIP: '172.31.0.2', startTime: at(0), qosClass: 'BestEffort', observedGeneration: 1 })
  expect(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => condition(pod, type))).toEqual(['True', 'True', 'True', 'True', 'True'])
  const again = step(pod, 60)
  expect(again.againMs).toBe(Infinity)
  expect(again.status).toEqual(pod.status)
})

test.each([
  { what: 'runs on', restartPolicy: 'Always', said: {}, at: [0, 5], phase: 'Running', state: 'running 0', ready: 'True' },
  { what: 'ends well', restartPolicy: 'Never', said: { [say.exitCode]: '0' }, at: [0, 1], phase: 'Succeeded', state: 'terminated 0 0', ready: 'False PodCompleted' },
  { what: 'ends badly', restartPolicy: 'Never', said: { [say.exitCode]: '3' }, at: [0, 1], phase: 'Failed', state: 'terminated 3 0', ready: 'False PodFailed' },
  { what: 'ends after a while, not before', restartPolicy: 'Never', said: { [say.exitCode]: '0', [say.runFor]: '10s' }, at: [0, 9], phase: 'Running', state: 'running 0', ready: 'True' },
  { what: 'ends after a while', restartPolicy: 'Never', said: { [say.exitCode]: '0', [say.runFor]: '10s' }, at: [0, 10], phase: 'Succeeded', state: 'terminated 0 0', ready: 'False PodCompleted' },
  { what: 'ends badly and starts again at once', restartPolicy: 'OnFailure', said: { [say.exitCode]: '1', [say.runFor]: '2s' }, at: [0, 2, 2], phase: 'Running', state: 'running 1', ready: 'True' },
  { what: 'ends badly twice and waits', restartPolicy: 'OnFailure', said: { [say.exitCode]: '1', [say.runFor]: '2s' }, at: [0, 2, 2, 4, 4], phase: 'Running', state: 'waiting CrashLoopBackOff 1', ready: 'False ContainersNotReady' },
  { what: 'waits for its back-off', restartPolicy: 'OnFailure', said: { [say.exitCode]: '1', [say.runFor]: '2s' }, at: [0, 2, 2, 4, 4, 13], phase: 'Running', state: 'waiting CrashLoopBackOff 1', ready: 'False ContainersNotReady' },
  { what: 'starts after its back-off', restartPolicy: 'OnFailure', said: { [say.exitCode]: '1', [say.runFor]: '2s' }, at: [0, 2, 2, 4, 4, 14], phase: 'Running', state: 'running 2', ready: 'True' },
  { what: 'is not ready', restartPolicy: 'Always', said: { [say.ready]: 'false' }, at: [0], phase: 'Running', state: 'running 0', ready: 'False ContainersNotReady' },
  { what: 'has no image', restartPolicy: 'Always', said: { [say.waiting]: 'ImagePullBackOff' }, at: [0], phase: 'Pending', state: 'waiting ImagePullBackOff 0', ready: 'False ContainersNotReady' },
  { what: 'pulls its image', restartPolicy: 'Always', said: { [say.startAfter]: '3s' }, at: [0, 2], phase: 'Pending', state: 'waiting ContainerCreating 0', ready: 'False ContainersNotReady' },
  { what: 'has pulled its image', restartPolicy: 'Always', said: { [say.startAfter]: '3s' }, at: [0, 3], phase: 'Running', state: 'running 0', ready: 'True' },
  { what: 'says what cannot be read', restartPolicy: 'Always', said: { [say.exitCode]: 'x', [say.runFor]: 'soon' }, at: [0, 9], phase: 'Running', state: 'running 0', ready: 'True' },
] as const)('a container that $what', ({ restartPolicy, said, at: seconds, ...wanted }) => {
  const pod = lived(podOf({ spec: { restartPolicy }, metadata: { annotations: said as Record<string, string> } }), ...seconds)
  expect({ phase: pod.status?.phase, state: state(pod), ready: condition(pod, 'Ready') }).toEqual({ phase: wanted.phase, state: wanted.state, ready: wanted.ready })
})

test('a pod of a Job ends well at once, where nothing else is said', () => {
  const ofJob = { ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j', controller: true }] }
  expect(lived(podOf({ spec: { restartPolicy: 'Never' }, metadata: ofJob }), 0, 0).status?.phase).toBe('Succeeded')
  expect(lived(podOf({ spec: { restartPolicy: 'Never' }, metadata: { ...ofJob, annotations: { [say.exitCode]: '1' } } }), 0, 0).status?.phase).toBe('Failed')
  expect(instructionsOf(podOf({ metadata: ofJob }), 'run').exitCode).toBeUndefined()
})

test('init containers have ended, sidecars run and end after the main ones', () => {
  const pod = podOf({ spec: { restartPolicy: 'Never', initContainers: [{ name: 'i', image: 'x' }, { name: 's', image: 'x', restartPolicy: 'Always' }] }, metadata: { annotations: { [say.exitCode]: '0', [say.runFor]: '5s' } } })
  const running = lived(pod, 0)
  expect(running.status?.initContainerStatuses?.map(({ state: now, ready }) => [Object.keys(now ?? {})[0], ready])).toEqual([['terminated', true], ['running', true]])
  expect(condition(running, 'Initialized')).toBe('True')
  const over = lived(running, 5)
  expect(over.status?.phase).toBe('Succeeded')
  expect(over.status?.initContainerStatuses?.every(({ state: now }) => now?.terminated)).toBe(true)
})

test('readiness gates are asked', () => {
  const pod = lived(podOf({ spec: { readinessGates: [{ conditionType: 'example.com/lb' }] } }), 0)
  expect([condition(pod, 'ContainersReady'), condition(pod, 'Ready')]).toEqual(['True', 'False ReadinessGatesNotReady'])
  const open = { ...pod, status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []), { type: 'example.com/lb', status: 'True' as const }] } }
  expect(condition(lived(open, 5), 'Ready')).toBe('True')
})

test('a deadline ends the pod', () => {
  const pod = lived(podOf({ spec: { activeDeadlineSeconds: 30 } }), 0)
  expect(step(pod, 10).againMs).toBe(20_000)
  const over = lived(pod, 30)
  expect(over.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses: [{ state: { terminated: { exitCode: 137 } } }] })
})

test.each([
  { what: 'at once where it minds SIGTERM', said: {}, spec: {}, at: 100, removed: true, code: 143 },
  { what: 'not before it is done', said: { [say.stopAfter]: '10s' }, spec: {}, at: 109, removed: false, code: undefined },
  { what: 'when it is done', said: { [say.stopAfter]: '10s' }, spec: {}, at: 110, removed: true, code: 143 },
  { what: 'at the end of its grace period', said: { [say.stopAfter]: '1h' }, spec: {}, at: 130, removed: true, code: 137 },
  { what: 'not before preStop has slept', said: {}, spec: { containers: [{ name: 'c', image: 'x', lifecycle: { preStop: { sleep: { seconds: 5 } } } }] }, at: 104, removed: false, code: undefined },
  { what: 'after preStop has slept', said: {}, spec: { containers: [{ name: 'c', image: 'x', lifecycle: { preStop: { sleep: { seconds: 5 } } } }] }, at: 105, removed: true, code: 143 },
])('a deleted pod goes $what', ({ said, spec, at: second, removed, code }) => {
  const pod = lived(podOf({ spec, metadata: { annotations: said as Record<string, string> } }), 0)
  const deleted = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: at(130), deletionGracePeriodSeconds: 30 } }
  const next = step(deleted, second)
  expect(next.remove).toBe(removed)
  expect(next.status?.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(code)
  expect(next.status?.phase).toBe(code === undefined ? undefined : 'Failed')
})

test('a pod of the host network has the host\'s address', () => {
  expect(lived(podOf({ spec: { hostNetwork: true } }), 0).status?.podIP).toBe('172.31.0.2')
})
