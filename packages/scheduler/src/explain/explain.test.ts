import { beforeEach, describe, expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { fakeClock } from '@berth/kube'
import { makeProfile } from '../framework/profile.ts'
import type { KeptDecision } from './answers.ts'
import { Explainer } from './explainer.ts'
import { readManifest } from './manifest.ts'
import { readQuestion } from './question.ts'
import { answerText } from './text/index.ts'

const node = (name: string, cpu = '2', over: Partial<Node['spec']> = {}): Node => ({
  metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: over, status: { allocatable: { cpu, memory: '4Gi', pods: '10' } },
})
const pod = (name: string, cpu: string, over: Partial<Pod['spec']> = {}, owner?: string): Pod => ({
  metadata: { name, namespace: 'default', uid: name, ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'apps/v1', kind: owner, name: 'o', uid: 'o', controller: true }] }) },
  spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }], ...over },
})
const on = (nodeName: string, p: Pod): Pod => ({ ...p, spec: { ...p.spec, nodeName } })

let explainer: Explainer
let kept: Map<string, KeptDecision>
beforeEach(() => {
  kept = new Map()
  explainer = new Explainer({ clock: fakeClock(), kept: (key) => kept.get(key), profiles: (snapshot) => new Map([['default-scheduler', makeProfile({ schedulerName: 'default-scheduler', snapshot })]]) })
  for (const n of [node('n1'), node('n2'), node('n3', '4', { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] })]) explainer.change({ type: 'node-set', node: n })
  for (const p of [on('n1', pod('a', '1500m', { priority: 0 }, 'ReplicaSet')), on('n2', pod('b', '1200m', { priority: 5 }, 'ReplicaSet')), on('n2', pod('d', '100m', {}, 'DaemonSet'))]) explainer.change({ type: 'pod-set', pod: p })
})
/** What a question must leave behind: the cache as it was. */
const state = (): string => answerText(explainer.whatIf({}))

describe('why', () => {
  test('a pending pod: nodes by reason, what helps, and the nearest nodes with what they lack and who would have to go', () => {
    explainer.waiting(pod('w', '1', { priority: 3 }))
    const before = state()
    const answer = explainer.why('default/w')
    expect(answer).toMatchObject({
      state: 'Pending',
      now: {
        feasible: 0, message: '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.', preemptsOn: 'n1', preempts: ['default/a'],
        groups: [{ reason: 'Insufficient cpu', plugin: 'NodeResourcesFit', count: 2, nodes: ['n1', 'n2'], resolvable: true }, { reason: 'node(s) were unschedulable', count: 1, nodes: ['n3'], resolvable: false }],
        nearest: [{ node: 'n2', lacks: ['300m cpu'], evict: ['default/b'], byPreemption: false }, { node: 'n1', lacks: ['500m cpu'], evict: ['default/a'], byPreemption: true }, { node: 'n3' }],
      },
    })
    expect(answer.helps.some((help) => help.startsWith('NodeResourcesFit: ') && help.includes('a pod leaves a node'))).toBe(true)
    expect(answerText(answer)).toContain('n2 lacks 300m cpu; evicting default/b would do\n')
    expect(state()).toBe(before)
  })
  test('a placed pod: what was kept of the decision, and without that what would be decided now, saying so', () => {
    expect(explainer.why('default/a')).toMatchObject({ state: 'Placed', node: 'n1', now: { node: 'n1', feasible: 1 }, notes: [expect.stringContaining('speaks of now')] })
    kept.set('default/a', { time: '1970-01-01T00:00:00Z', sequence: 7, node: 'n1', feasible: 2, best: [{ node: 'n1', total: 300, byPlugin: { ImageLocality: 100, NodeResourcesFit: 200 } }, { node: 'n2', total: 250, byPlugin: { NodeResourcesFit: 250 } }] })
    const answer = explainer.why('default/a')
    expect(answer.notes).toEqual([])
    expect(answerText(answer)).toMatch(/default\/a is on n1 .*\nDecided .* it fitted on 2 nodes\. The best 2:\n\nNODE {2}TOTAL {2}ImageLocality {2}NodeResourcesFit\nn1\* {3}300 {4}100 {12}200\nn2 {4}250 {4}0 {14}250\n/)
  })
  test('a gated pod names its gate; a pod of another scheduler and one that is not there are refused by name', () => {
    explainer.waiting(pod('g', '1', { schedulingGates: [{ name: 'example.com/wait' }] }))
    expect(explainer.why('default/g')).toMatchObject({ state: 'Gated', notes: [expect.stringContaining('example.com/wait')] })
    explainer.waiting(pod('o', '1', { schedulerName: 'other' }))
    expect(() => explainer.why('default/o')).toThrow('its schedulerName is "other": another scheduler decides on it; this one has default-scheduler')
    expect(() => explainer.why('default/x')).toThrow('pod "default/x" is not there, or has ended')
  })
})

describe('why not', () => {
  test('every filter has its word, not only the first that says no', () => {
    explainer.waiting(pod('w', '5'))
    const answer = explainer.whyNot('default/w', 'n3')
    expect(answer).toMatchObject({ fits: false, lacks: ['1 cpu'] })
    expect(answer.evict).toBeUndefined()
    expect(answer.verdicts.filter(({ passes }) => !passes).map(({ plugin }) => plugin)).toEqual(['NodeUnschedulable', 'TaintToleration', 'NodeResourcesFit'])
    expect(() => explainer.whyNot('default/w', 'n9')).toThrow('node "n9" is not there')
  })
  test('a node that fits but is not the best: both scores, as if the pod were not placed yet', () => {
    const before = state()
    explainer.change({ type: 'pod-set', pod: on('n1', pod('s', '100m')) })
    const answer = explainer.whyNot('default/s', 'n2')
    expect(answer).toMatchObject({ fits: true, runsOn: 'n1', score: { node: 'n2' }, best: { node: 'n2' } })
    explainer.change({ type: 'pod-gone', key: 'default/s' })
    expect(state()).toBe(before)
  })
})

describe('what if', () => {
  test('a drained node: pods with a controller go elsewhere, over pods of lower priority if need be; bare ones are lost, DaemonSets\' stay', () => {
    explainer.change({ type: 'pod-set', pod: on('n2', pod('bare', '100m')) })
    const before = state()
    const answer = explainer.whatIf({ drain: ['n2'] })
    expect(answer).toMatchObject({ placements: [{ pod: 'default/b', from: 'n2', node: 'n1', preempts: ['default/a'] }], pending: [{ pod: 'default/a', from: 'n1' }], lost: [{ pod: 'default/bare', node: 'n2' }], notes: ['1 pods of DaemonSets and static pods stay on n2'] })
    expect(state()).toBe(before)
  })
  test('new nodes like another one carry its DaemonSet pods, and take what waits in the cluster', () => {
    explainer.waiting(pod('w', '1900m'))
    expect(explainer.whatIf({ addNodes: [{ count: 1, like: 'n2' }] })).toMatchObject({ placements: [{ pod: 'default/w', node: 'n2-whatif-1' }], after: { pods: { requested: 5, allocatable: 40 } } })
    explainer.waiting(pod('w', '1950m'))
    expect(explainer.whatIf({ addNodes: [{ count: 1, like: 'n2' }] })).toMatchObject({ placements: [], pending: [{ pod: 'default/w' }] })
  })
  test('pods of higher priority preempt, and the preempted are placed again where they can be', () => {
    const before = state()
    const answer = explainer.whatIf({ pods: [pod('high', '1800m', { priority: 10 })], addNodes: [{ count: 1, like: 'n1' }], cordon: [] })
    expect(answer.placements).toMatchObject([{ pod: 'default/high', node: 'n1-whatif-1' }])
    const full = explainer.whatIf({ pods: [pod('high', '1800m', { priority: 10 }), pod('high2', '1800m', { priority: 10 })], uncordon: [] })
    expect(full).toMatchObject({ placements: [{ pod: 'default/high', node: 'n1', preempts: ['default/a'] }, { pod: 'default/high2', node: 'n2' }], preempted: [{ pod: 'default/a', by: 'default/high' }, { pod: 'default/b' }], pending: [{ pod: 'default/b', from: 'n2' }, { pod: 'default/a', from: 'n1' }] })
    expect(state()).toBe(before)
  })
  test('what is not there is refused by name, and nothing is left behind', () => {
    const before = state()
    expect(() => explainer.whatIf({ cordon: ['n1', 'n9'] })).toThrow('node "n9" is not there')
    expect(() => explainer.whatIf({ removePods: ['default/zz'] })).toThrow('pod "default/zz" is on no node')
    expect(state()).toBe(before)
  })
})

describe('manifests and questions', () => {
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { priorityClassName: 'gold', containers: [{ name: 'c', image: 'x' }] } } } }
  test('a Deployment becomes its pods, with defaults, priority and the owner that the default spread reads', () => {
    const { pods, owners } = readManifest([deployment], { namespace: 'shop', replicas: 2, priorities: new Map([['gold', 100]]) })
    expect(pods.map(({ metadata, spec }) => [metadata.namespace, metadata.name, spec.priority, spec.schedulerName])).toEqual([['shop', 'web-1', 100, 'default-scheduler'], ['shop', 'web-2', 100, 'default-scheduler']])
    expect(owners).toEqual([{ kind: 'ReplicaSet', key: 'shop/web', selector: { matchLabels: { app: 'web' } } }])
  })
  test.each([
    [{ ...deployment, apiVersion: 'apps/v1', kind: 'DaemonSet' }, 'document 1: apps/v1 DaemonSet makes no pods that are placed one by one; allowed: Pod, Service, Deployment'],
    [deployment, 'pod web: spec.priorityClassName: no PriorityClass with name gold was found'],
    [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [], nope: 1 } }, 'document 1 (Pod): strict decoding error: unknown field "spec.nope"'],
    [{ kind: 'Pod' }, 'document 1: apiVersion and kind must be set'],
  ])('a manifest that cannot be asked about names the document and the field', (document, message) => {
    expect(() => readManifest([document], { namespace: 'default' })).toThrow(message)
  })
  test.each([
    ['why', {}, 'pod: Required value'],
    ['why', { pod: 1 }, 'pod: expected a string, got 1'],
    ['what-if', { addNodes: [{ count: 0, like: 'n1' }] }, 'addNodes[0].count: expected an integer of at least 1, got 0'],
    ['what-if', { pods: [{ metadata: { name: 'p' }, spec: { containers: 'x' } }] }, 'pods[0]: '],
    ['what-if', { nodes: [] }, 'unknown field "nodes"'],
  ] as const)('a wrong question names the path: %s %o', (ask, body, message) => {
    expect(() => readQuestion(ask, body)).toThrow(message)
  })
})
