import type { DaemonSet } from '@berth/api/types/apps/v1'
import type { Node, Pod, Taint } from '@berth/api/types/core/v1'
import { fakeClock } from '@berth/kube'
import { expect, test } from 'vitest'
import { FailedPodBackoff } from './failed-pods.ts'
import { daemonSetStatus, nodeVerdicts, placePods, rollPods, viewOf } from './plan.ts'
import { podFor, targetNode } from './pod-template.ts'

const now = Date.parse('2026-01-01T12:00:00Z')

function daemonSet(rolling?: { maxSurge?: number | string; maxUnavailable?: number | string }, spec: Partial<Pod['spec']> = {}): DaemonSet {
  return {
    metadata: { name: 'd', namespace: 'x', uid: 'u' },
    spec: { selector: {}, template: { metadata: { name: '' }, spec: { containers: [], ...spec } }, updateStrategy: { type: 'RollingUpdate', rollingUpdate: rolling ?? { maxUnavailable: 1 } } },
  }
}
const node = (name: string, taints: Taint[] = []): Node => ({ metadata: { name }, spec: { taints } })
/** `n1 new ready`: on n1, of the present template; `old`, `unready`, `Failed`, `going` as they read. */
function pod(text: string): Pod {
  const [nodeName = '', ...facts] = text.split(' ')
  return {
    metadata: { name: text, labels: { 'controller-revision-hash': facts.includes('new') ? 'new' : 'old' }, ...(facts.includes('going') ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName, containers: [] },
    status: { phase: facts.includes('Failed') ? 'Failed' : 'Running', conditions: [{ type: 'Ready', status: facts.includes('ready') ? 'True' : 'False' }] },
  }
}
const three = ['n1', 'n2', 'n3'].map((name) => node(name))
const names = (plan: { create: string[]; delete: Pod[] }): [string[], string[]] => [plan.create, plan.delete.map((each) => each.metadata.name)]

test.each([
  ['nothing in its way', [], {}, { run: true, keep: true }],
  ['a NoSchedule taint', [{ key: 'k', effect: 'NoSchedule' }], {}, { run: false, keep: true }],
  ['a NoExecute taint', [{ key: 'k', effect: 'NoExecute' }], {}, { run: false, keep: false }],
  ['a cordon', [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }], {}, { run: true, keep: true }],
  ['no network', [{ key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }], {}, { run: false, keep: true }],
  ['no network, which it does not need', [{ key: 'node.kubernetes.io/network-unavailable', effect: 'NoSchedule' }], { hostNetwork: true }, { run: true, keep: true }],
  ['another node’s name', [], { nodeName: 'other' }, { run: false, keep: false }],
  ['a selector it does not match', [], { nodeSelector: { a: 'b' } }, { run: false, keep: false }],
] as [string, Taint[], Partial<Pod['spec']>, { run: boolean; keep: boolean }][])('a node with %s', (_, taints, spec, verdict) => {
  expect(nodeVerdicts(daemonSet(undefined, spec))(node('n1', taints))).toEqual(verdict)
})

test('a pod is made for one node, whatever terms the template had', () => {
  const made = podFor(daemonSet(undefined, { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] } } } }), 'n7', 'h')
  expect(made.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution).toEqual({ nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n7'] }] }] })
  expect(targetNode(made)).toBe('n7')
  expect(made.metadata.labels).toEqual({ 'controller-revision-hash': 'h' })
})

test.each([
  ['an empty node', ['n1 new', 'n2 new'], undefined, ['n3'], []],
  ['two on one node', ['n1 new', 'n1 old', 'n2 new', 'n3 new'], undefined, [], ['n1 old']],
  ['a failed one', ['n1 Failed', 'n2 new', 'n3 new'], undefined, [], ['n1 Failed']],
  ['one that is going', ['n1 going', 'n2 new', 'n3 new'], undefined, [], []],
  ['a surge not yet ready', ['n1 old ready', 'n1 new', 'n2 new', 'n3 new'], { maxSurge: 1 }, [], []],
  ['a surge that is ready', ['n1 old ready', 'n1 new ready', 'n2 new', 'n3 new'], { maxSurge: 1 }, [], ['n1 old ready']],
] as [string, string[], { maxSurge: number } | undefined, string[], string[]][])('placing with %s', (_, pods, rolling, create, doomed) => {
  expect(names(placePods(viewOf(daemonSet(rolling), three, pods.map(pod), 'new', now), () => true))).toEqual([create, doomed])
})

test.each([
  ['one at a time', { maxUnavailable: 1 }, ['n1 old ready', 'n2 old ready', 'n3 old ready'], [], ['n1 old ready']],
  ['a percentage rounds up', { maxUnavailable: '40%' }, ['n1 old ready', 'n2 old ready', 'n3 old ready'], [], ['n1 old ready', 'n2 old ready']],
  ['not while a new one is not ready', { maxUnavailable: 1 }, ['n1 new', 'n2 old ready', 'n3 old ready'], [], []],
  ['not while one is missing', { maxUnavailable: 1 }, ['n1 old ready', 'n2 old ready'], [], []],
  ['broken old ones in any case', { maxUnavailable: 1 }, ['n1 new', 'n2 old', 'n3 old ready'], [], ['n2 old']],
  ['surging', { maxSurge: 1, maxUnavailable: 0 }, ['n1 old ready', 'n2 old ready', 'n3 old ready'], ['n1'], []],
  ['surging, with one under way', { maxSurge: 1, maxUnavailable: 0 }, ['n1 old ready', 'n1 new', 'n2 old ready', 'n3 old ready'], [], []],
  ['surging, done on one', { maxSurge: 1, maxUnavailable: 0 }, ['n1 old ready', 'n1 new ready', 'n2 old ready', 'n3 new ready'], ['n2'], ['n1 old ready']],
] as [string, { maxSurge?: number; maxUnavailable?: number | string }, string[], string[], string[]][])('a rolling update: %s', (_, rolling, pods, create, doomed) => {
  expect(names(rollPods(viewOf(daemonSet(rolling), three, pods.map(pod), 'new', now)))).toEqual([create, doomed])
})

test('the status counts by node', () => {
  const view = viewOf(daemonSet(), [...three, node('n4', [{ key: 'k', effect: 'NoExecute' }])], ['n1 new ready', 'n2 old', 'n4 new'].map(pod), 'new', now)
  expect(daemonSetStatus(view)).toEqual({
    desiredNumberScheduled: 3, currentNumberScheduled: 2, numberMisscheduled: 1, numberReady: 1, numberAvailable: 1, numberUnavailable: 2, updatedNumberScheduled: 1, observedGeneration: 0,
  })
})

test('failed pods are left lying longer each time', async () => {
  const clock = fakeClock()
  const backoff = new FailedPodBackoff(clock)
  expect([backoff.next('a'), backoff.next('a'), backoff.next('b')]).toEqual([0, 1000, 0])
  await clock.advance(1000)
  expect([backoff.next('a'), backoff.next('a')]).toEqual([0, 2000])
})
