import { expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { Cache } from '../cache/cache.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { makeProfile } from '../framework/profile.ts'
import { decidePlain } from './decide.ts'
import { misfitMessage, rejectingPlugins } from './fit-error.ts'

const profile = makeProfile({ schedulerName: 'default-scheduler' })
const node = (name: string, more: Partial<Node['spec']> = {}, cpu = '4', labels: Record<string, string> = {}): Node => ({ metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } }, spec: more, status: { allocatable: { cpu, memory: '8Gi', pods: '10' } } })
const pod = (spec: Partial<Pod['spec']> = {}, labels: Record<string, string> = {}): Pod => ({ metadata: { name: 'p', namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '1' } } }], ...spec } })

function clusterOf(...nodes: Node[]): Cache {
  const cache = new Cache()
  for (const each of nodes) cache.apply({ type: 'node-set', node: each })
  return cache
}

function messageFor(cache: Cache, given: Pod): string {
  const decision = decidePlain(podInfoOf(given), profile, cache, () => 0)
  return decision.node === undefined ? misfitMessage(decision.misfit) : `placed on ${decision.node}`
}

test.each<[string, Cache, Pod, string]>([
  ['no nodes at all', clusterOf(), pod(), 'no nodes available to schedule pods'],
  ['every node for its own reason, counted and sorted', clusterOf(node('a', {}, '500m'), node('b', { unschedulable: true }), node('c', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] }), node('d', {}, '100m')), pod(),
    '0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.'],
  ['a selector', clusterOf(node('a')), pod({ nodeSelector: { disk: 'ssd' } }), "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."],
  ['a node named by a field', clusterOf(node('a'), node('b')), pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['z'] }] }] } } } }),
    "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."],
  ['hard spread over a label that is not there', clusterOf(node('a')), pod({ topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} }] }),
    "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."],
  ['a claim that is not there', clusterOf(node('a')), pod({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'x' } }] }),
    '0/1 nodes are available: persistentvolumeclaim "x" not found. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'],
])('%s', (_, cache, given, message) => {
  expect(messageFor(cache, given)).toBe(message)
})

test('the plugins that rejected a pod are known', () => {
  const decision = decidePlain(podInfoOf(pod()), profile, clusterOf(node('a', {}, '500m'), node('b', { unschedulable: true })), () => 0)
  expect(decision.node === undefined && [...rejectingPlugins(decision.misfit)].sort()).toEqual(['NodeResourcesFit', 'NodeUnschedulable'])
})

test('among equal nodes, chance decides; else the best score does', () => {
  const cache = clusterOf(node('a'), node('b'))
  const chosen = (random: number): string | undefined => decidePlain(podInfoOf(pod()), profile, cache, () => random).node
  expect([chosen(0), chosen(0.9)]).toEqual(['b', 'a'])
  cache.apply({ type: 'pod-set', pod: { ...pod({ nodeName: 'b' }), metadata: { name: 'other', namespace: 'default' } } })
  expect([chosen(0), chosen(0.9)]).toEqual(['a', 'a'])
})

test('a Service makes its pods spread over hosts without their asking', () => {
  const cache = clusterOf(node('a', {}, '64'), node('b', {}, '32'))
  cache.apply({ type: 'service-set', service: { metadata: { name: 's', namespace: 'default' }, spec: { selector: { app: 'x' } } } })
  cache.apply({ type: 'pod-set', pod: { ...pod({ nodeName: 'a' }), metadata: { name: 'other', namespace: 'default', labels: { app: 'x' } } } })
  const decision = decidePlain(podInfoOf(pod({}, { app: 'x' })), profile, cache, () => 0)
  expect(decision.node !== undefined && decision.scores.map((s) => [s.node, s.byPlugin.PodTopologySpread])).toEqual([['a', 132], ['b', 200]])
})
