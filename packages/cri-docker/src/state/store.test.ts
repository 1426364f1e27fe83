import { expect, test } from 'vitest'
import { containerName, labelKeys, labelsOf, sandboxName, type SandboxSpec, specOf } from './labels.ts'
import { type EngineRecord, nanoseconds } from './record.ts'
import { changes } from './store.ts'

const record = (state: EngineRecord['state'], startedAt = 0n): EngineRecord => ({ state, startedAt }) as EngineRecord

test.each([
  ['is seen for the first time, created', undefined, record('created'), ['created']],
  ['is seen for the first time, running', undefined, record('running', 5n), ['created', 'started']],
  ['is seen for the first time, ended', undefined, record('exited', 5n), ['created', 'started', 'stopped']],
  ['could not be started', record('created'), record('exited'), ['stopped']],
  ['was started', record('created'), record('running', 5n), ['started']],
  ['ended', record('running', 5n), record('exited', 5n), ['stopped']],
  ['ran and ended unseen', record('created'), record('exited', 5n), ['started', 'stopped']],
  ['is as it was', record('running', 5n), record('running', 5n), []],
  ['was started anew unseen', record('running', 5n), record('running', 6n), ['stopped', 'started']],
  ['has still ended', record('exited', 5n), record('exited', 5n), []],
] as const)('a container that %s gives the events that must have been', (_what, old, now, expected) => {
  expect(changes(old, now)).toEqual(expected)
})

test.each([
  ['2026-11-21T14:04:56.846933347Z', 1795269896846933347n],
  ['2026-11-21T14:04:56Z', 1795269896000000000n],
  ['2026-11-21T15:04:56.5+01:00', 1795269896500000000n],
  ['0001-01-01T00:00:00Z', 0n],
  ['', 0n],
])('the stamp %s is %s nanoseconds', (text, expected) => {
  expect(nanoseconds(text)).toBe(expected)
})

const spec: SandboxSpec = {
  kind: 'sandbox',
  metadata: { name: 'web', namespace: 'shop', uid: 'u', attempt: 1 },
  labels: { app: 'web', [labelKeys.node]: 'a pod’s own label' },
  annotations: {},
  runtimeHandler: '',
  logDirectory: '/logs',
  hostname: 'web',
  cgroupParent: '/pods',
  namespaces: { network: 'POD', pid: 'POD', ipc: 'POD' },
  portMappings: [],
  directory: '/d',
  anchor: '',
}

test('labels give back what they were made of, whatever labels a pod has, and only to their own node', () => {
  const labels = labelsOf(spec, 'node-a')
  expect(labels['app']).toBe('web')
  expect(specOf(labels, 'node-a')).toEqual(spec)
  expect(specOf(labels, 'node-b')).toBeUndefined()
  expect(specOf({ [labelKeys.node]: 'node-a', [labelKeys.spec]: '{' }, 'node-a')).toBeUndefined()
  expect(specOf(null, 'node-a')).toBeUndefined()
})

test('names are those of other Docker shims, with the node where several share an Engine', () => {
  expect(sandboxName('default', spec.metadata)).toBe('k8s_POD_web_shop_u_1')
  expect(sandboxName('berth/node-1', spec.metadata)).toBe('k8s_POD_web_shop_u_1_berth-node-1')
  expect(containerName('default', { name: 'main', attempt: 2 }, { ...spec.metadata, attempt: 0 })).toBe('k8s_main_web_shop_u_2')
  expect(containerName('default', { name: 'main', attempt: 2 }, spec.metadata)).toBe('k8s_main_web_shop_u_2_1')
})
