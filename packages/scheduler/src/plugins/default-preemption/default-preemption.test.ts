import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { Cache } from '../../cache/cache.ts'
import { decidePlain } from '../../cycle/decide.ts'
import { misfitMessage } from '../../cycle/fit-error.ts'
import { podInfoOf } from '../../framework/pod-info.ts'
import { makeProfile } from '../../framework/profile.ts'
import { bestCandidates } from './pick-node.ts'

const profile = makeProfile({ schedulerName: 'default-scheduler' })

interface Given { name: string; node?: string; cpu?: string; priority?: number; start?: string; labels?: Record<string, string>; spec?: Partial<Pod['spec']>; status?: Partial<Pod['status']>; deleted?: boolean }

const podOf = ({ name, node, cpu = '1', priority = 0, start, labels = {}, spec, status, deleted }: Given): Pod => ({
  metadata: { name, namespace: 'default', labels, ...(deleted ? { deletionTimestamp: '2026-01-02T00:00:00Z' } : {}) },
  spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }], priority, ...(node ? { nodeName: node } : {}), ...spec },
  status: { ...(start ? { startTime: start } : {}), ...status },
})
const nodeOf = (name: string, cpu = '2', spec: Node['spec'] = {}, labels: Record<string, string> = {}): Node => ({ metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec, status: { allocatable: { cpu, memory: '8Gi', pods: '10' } } })
const budgetOf = (app: string, disruptionsAllowed: number, disruptedPods: Record<string, string> = {}): PodDisruptionBudget => ({ metadata: { name: app, namespace: 'default' }, spec: { selector: { matchLabels: { app } } }, status: { disruptionsAllowed, disruptedPods } })

function outcome(nodes: Node[], pods: Given[], incoming: Given, budgets: PodDisruptionBudget[] = [], nominated: Array<[Given, string]> = []): string {
  const cache = new Cache()
  for (const node of nodes) cache.apply({ type: 'node-set', node })
  for (const pod of pods) cache.apply({ type: 'pod-set', pod: podOf(pod) })
  for (const budget of budgets) cache.apply({ type: 'budget-set', budget })
  for (const [pod, node] of nominated) cache.apply({ type: 'nominate', pod: podOf(pod), node })
  const before = JSON.stringify(cache.nodes.map((n) => [n.requested.milliCpu, [...n.pods.keys()]]))
  const decision = decidePlain(podInfoOf(podOf(incoming)), profile, cache, () => 0)
  expect(JSON.stringify(cache.nodes.map((n) => [n.requested.milliCpu, [...n.pods.keys()]]))).toBe(before)
  if (decision.node !== undefined) return `placed on ${decision.node}`
  const { preemption, misfit } = decision
  return preemption?.nominatedNode ? `${preemption.nominatedNode}: ${preemption.victims.map(({ pod }) => pod.metadata.name).join(' ')}` : misfitMessage(misfit).replace(/^.* preemption: /, '')
}

const incoming: Given = { name: 'incoming', cpu: '1', priority: 100 }

describe('who has to go', () => {
  test.each<[string, Given[], Given, string]>([
    ['the least important of those of lower priority', [{ name: 'a', node: 'n', priority: 20 }, { name: 'b', node: 'n', priority: 10 }], incoming, 'n: b'],
    ['of equal priority, the one that was started last', [{ name: 'a', node: 'n', start: '2026-01-01T00:00:00Z' }, { name: 'b', node: 'n', start: '2026-01-01T01:00:00Z' }], incoming, 'n: b'],
    ['as many as it takes, the most important one named first', [{ name: 'a', node: 'n', priority: 10 }, { name: 'b', node: 'n', priority: 20 }], { ...incoming, cpu: '2' }, 'n: b a'],
    ['nobody of the same priority', [{ name: 'a', node: 'n', cpu: '2', priority: 100 }], incoming, '0/1 nodes are available: 1 No preemption victims found for incoming pod.'],
    ['nobody where even that is not enough', [{ name: 'a', node: 'n', priority: 100 }, { name: 'b', node: 'n' }], { ...incoming, cpu: '2' }, '0/1 nodes are available: 1 Insufficient cpu.'],
    ['nobody where the node is too small for the pod even when it is empty', [{ name: 'a', node: 'n' }], { ...incoming, cpu: '3' }, '0/1 nodes are available: 1 Preemption is not helpful for scheduling.'],
    ['nobody for a pod that may not preempt', [{ name: 'a', node: 'n', cpu: '2' }], { ...incoming, spec: { preemptionPolicy: 'Never' } }, 'not eligible due to preemptionPolicy=Never.'],
    ['who keeps a host port', [{ name: 'a', node: 'n', cpu: '100m', spec: { containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80, hostPort: 80 }] }] } }, { name: 'b', node: 'n', cpu: '100m' }],
      { ...incoming, spec: { containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80, hostPort: 80 }] }] } }, 'n: a'],
    ['who does not want it beside itself', [{ name: 'a', node: 'n', cpu: '100m', spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } }] } } } }, { name: 'b', node: 'n', cpu: '100m' }],
      { ...incoming, labels: { app: 'x' } }, 'n: a'],
    ['who it does not want beside itself', [{ name: 'a', node: 'n', cpu: '100m', labels: { app: 'y' } }, { name: 'b', node: 'n', cpu: '100m' }],
      { ...incoming, spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'y' } } }] } } } }, 'n: a'],
    ['nobody that the pod has to be beside', [{ name: 'a', node: 'n', cpu: '2', labels: { app: 'y' } }],
      { ...incoming, spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'y' } } }] } } } }, "0/1 nodes are available: 1 node(s) didn't match pod affinity rules."],
  ])('%s', (_, pods, given, expected) => {
    expect(outcome([nodeOf('n')], pods, given)).toBe(expected)
  })

  test('who makes its domain too full for a spread constraint', () => {
    const spread: Given = { ...incoming, cpu: '100m', labels: { app: 'x' }, spec: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'x' } } }] } }
    const nodes = [nodeOf('a', '2', {}, { zone: 'a' }), nodeOf('b', '2', { unschedulable: true }, { zone: 'b' })]
    const pods: Given[] = [{ name: 'one', node: 'a', cpu: '100m', labels: { app: 'x' }, priority: 2 }, { name: 'two', node: 'a', cpu: '100m', labels: { app: 'x' }, priority: 1 }, { name: 'other', node: 'a', cpu: '100m' }]
    expect(outcome(nodes, pods, spread)).toBe('a: one two')
  })

  test.each<[string, PodDisruptionBudget[], string]>([
    ['a budget that allows no disruption protects its pods as long as another can go', [budgetOf('x', 0)], 'n: b'],
    ['a budget that still allows one does not', [budgetOf('x', 1)], 'n: a'],
    ['a pod that its budget counts as disrupted already is not protected', [budgetOf('x', 0, { a: '2026-01-01T00:00:00Z' })], 'n: a'],
    ['a budget of an empty selector is about nobody', [{ ...budgetOf('x', 0), spec: { selector: {} } }], 'n: a'],
    ['a budget of another namespace is about nobody here', [{ ...budgetOf('x', 0), metadata: { name: 'x', namespace: 'elsewhere' } }], 'n: a'],
  ])('%s', (_, budgets, expected) => {
    expect(outcome([nodeOf('n')], [{ name: 'a', node: 'n', labels: { app: 'x' }, priority: 10 }, { name: 'b', node: 'n', labels: { app: 'y' }, priority: 20 }], incoming, budgets)).toBe(expected)
  })
})

describe('which node', () => {
  const candidate = (node: string, violations: number, ...victims: Array<[number, string?]>) => ({ node, violations, victims: victims.map(([priority, start], i) => podInfoOf(podOf({ name: `${node}-${i}`, priority, ...(start ? { start } : {}) }))) })
  test.each([
    ['the fewest budgets violated', [candidate('a', 1, [1]), candidate('b', 0, [50])], ['b']],
    ['then the lowest highest priority', [candidate('a', 0, [20]), candidate('b', 0, [10], [10], [10])], ['b']],
    ['then the smallest sum of priorities', [candidate('a', 0, [10], [9]), candidate('b', 0, [10], [5])], ['b']],
    ['where more pods sum up to more, even below zero', [candidate('a', 0, [-1], [-1]), candidate('b', 0, [-1])], ['b']],
    ['then the latest start of the highest ones', [candidate('a', 0, [10, '2026-01-01T00:00:00Z']), candidate('b', 0, [10, '2026-01-02T00:00:00Z'])], ['b']],
    ['where the oldest of them counts', [candidate('a', 0, [10, '2026-01-01T00:00:00Z'], [10, '2026-01-09T00:00:00Z']), candidate('b', 0, [10, '2026-01-02T00:00:00Z'], [10, '2026-01-03T00:00:00Z'])], ['b']],
    ['and nothing decides between equals', [candidate('a', 0, [10]), candidate('b', 0, [10])], ['a', 'b']],
  ])('%s', (_, candidates, expected) => {
    expect(bestCandidates(candidates).map(({ node }) => node)).toEqual(expected)
  })

  test('each node says why it is none, sorted as kube-scheduler sorts it', () => {
    const nodes = [nodeOf('full', '1'), nodeOf('cordoned', '1', { unschedulable: true }), nodeOf('small', '500m'), nodeOf('peers', '1')]
    expect(outcome(nodes, [{ name: 'a', node: 'full', priority: 100, cpu: '500m' }, { name: 'b', node: 'full', cpu: '100m' }, { name: 'c', node: 'peers', priority: 100 }], incoming))
      .toBe('0/4 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.')
  })
})

describe('a nomination', () => {
  const going: Given = { name: 'victim', node: 'n', cpu: '2', deleted: true, status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] } }
  test.each<[string, Node[], Given[], Given, Array<[Given, string]>, string]>([
    ['keeps its room from pods of lower priority', [nodeOf('n')], [], { name: 'p', priority: 10 }, [[{ name: 'q', cpu: '2', priority: 100 }, 'n']], '0/1 nodes are available: 1 No preemption victims found for incoming pod.'],
    ['and of the same', [nodeOf('n')], [], { name: 'p', priority: 100 }, [[{ name: 'q', cpu: '2', priority: 100 }, 'n']], '0/1 nodes are available: 1 No preemption victims found for incoming pod.'],
    ['but not of higher priority', [nodeOf('n')], [], { name: 'p', priority: 200 }, [[{ name: 'q', cpu: '2', priority: 100 }, 'n']], 'placed on n'],
    ['does not fulfil the affinity of others: its pod may never come', [nodeOf('n')], [], { name: 'p', priority: 10, spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'q' } } }] } } } },
      [[{ name: 'q', priority: 100, labels: { app: 'q' } }, 'n']], '0/1 nodes are available: 1 Preemption is not helpful for scheduling.'],
    ['is where its pod goes, whatever the others score', [nodeOf('n', '2'), nodeOf('better', '64')], [], { name: 'p', priority: 10 }, [[{ name: 'p', priority: 10 }, 'n']], 'placed on n'],
    ['is left for a node that fits, when its own does not', [nodeOf('n', '500m'), nodeOf('better', '64')], [], { name: 'p', priority: 10 }, [[{ name: 'p', priority: 10 }, 'n']], 'placed on better'],
    ['keeps its pod from preempting more while the victims are going', [nodeOf('n')], [going], { name: 'p', priority: 10 }, [[{ name: 'p', priority: 10 }, 'n']], 'not eligible due to a terminating pod on the nominated node.'],
    ['does not, where its node has become hopeless', [nodeOf('n', '2', { unschedulable: true }), nodeOf('m')], [going, { name: 'other', node: 'm', cpu: '2' }], { name: 'p', priority: 10 }, [[{ name: 'p', priority: 10 }, 'n']], 'm: other'],
    ['nor where the pods that are going do so by themselves', [nodeOf('n')], [{ ...going, status: {} }], { name: 'p', priority: 10 }, [[{ name: 'p', priority: 10 }, 'n']], 'n: victim'],
  ])('%s', (_, nodes, pods, given, nominated, expected) => {
    expect(outcome(nodes, pods, given, [], nominated)).toBe(expected)
  })
})

test('enough candidates are enough: the nodes after them are not tried', () => {
  const few = makeProfile({ schedulerName: 'default-scheduler', args: { DefaultPreemption: { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 1 } } })
  const cache = new Cache()
  for (const name of ['a', 'b', 'c']) {
    cache.apply({ type: 'node-set', node: nodeOf(name, '1') })
    cache.apply({ type: 'pod-set', pod: podOf({ name: `on-${name}`, node: name, priority: name === 'c' ? 1 : 2 }) })
  }
  const chosen = (random: number, by = few): string | undefined => {
    const decision = decidePlain(podInfoOf(podOf(incoming)), by, cache, () => random)
    return decision.node === undefined ? decision.preemption?.nominatedNode : undefined
  }
  expect([chosen(0), chosen(0.5), chosen(0.5, profile)]).toEqual(['a', 'b', 'c'])
})
