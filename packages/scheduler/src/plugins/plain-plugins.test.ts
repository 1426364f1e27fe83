// What each plugin decides, by the documents of its feature: kubernetes.io/docs/concepts/scheduling-eviction, and the odd corners of upstream's code.
import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { Cache } from '../cache/cache.ts'
import { featureGates } from '../config/feature-gates.ts'
import { CycleState } from '../framework/cycle-state.ts'
import { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { makeProfile } from '../framework/profile.ts'
import type { PluginArgs } from './registry.ts'

const node = (more: { labels?: Record<string, string>; taints?: NonNullable<Node['spec']['taints']>; unschedulable?: boolean; allocatable?: Record<string, string>; images?: NonNullable<Node['status']>['images'] } = {}): NodeInfo => new NodeInfo({
  metadata: { name: 'n', labels: more.labels ?? {} },
  spec: { ...(more.taints ? { taints: more.taints } : {}), ...(more.unschedulable ? { unschedulable: true } : {}) },
  status: { allocatable: { cpu: '4', memory: '4Gi', pods: '10', ...more.allocatable }, ...(more.images ? { images: more.images } : {}) },
})
const pod = (spec: Partial<Pod['spec']> = {}, name = 'p'): Pod => ({ metadata: { name, namespace: 'default', uid: name }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } })
const asking = (requests: Record<string, string>, more: Partial<Pod['spec']> = {}): Pod => pod({ containers: [{ name: 'c', image: 'i', resources: { requests } }], ...more })
const pluginOf = (name: string, args: PluginArgs = {}, gates: Record<string, boolean> = {}): Plugin => makeProfile({ schedulerName: 's', args, gates: featureGates(gates) }).plugins.find((plugin) => plugin.name === name)!

/** The plugin's verdict on one node: `ok`, or its code and reasons. */
function verdict(plugin: Plugin, given: Pod, on: NodeInfo): string {
  const cache = new Cache()
  cache.apply({ type: 'node-set', node: on.node })
  const state = new CycleState()
  const info = podInfoOf(given)
  const early = plugin.preFilter?.(state, info, cache)
  if (early?.status?.code === 'Skip') return 'skip'
  if (early?.status) return `${early.status.code}: ${early.status.reasons.join(', ')}`
  if (early?.nodes && !early.nodes.has(on.name)) return `only ${[...early.nodes].join(', ')}`
  const status = plugin.filter?.(state, info, on)
  return status ? `${status.code}: ${status.reasons.join(', ')}` : 'ok'
}

/** The plugin's score of one node, not normalized; `skip` where it has nothing to say. */
function score(plugin: Plugin, given: Pod, on: NodeInfo, others: readonly Node[] = []): number | 'skip' {
  const cache = new Cache()
  for (const each of [on.node, ...others]) cache.apply({ type: 'node-set', node: each })
  const state = new CycleState()
  const info = podInfoOf(given)
  return plugin.preScore?.(state, info, [on], cache)?.code === 'Skip' ? 'skip' : plugin.score?.(state, info, on) ?? NaN
}

const required = (...terms: Array<{ matchExpressions?: unknown; matchFields?: unknown }>): Partial<Pod['spec']> => ({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms as never } } } })
const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] })
const field = (operator: string, value: string) => ({ key: 'metadata.name', operator, values: [value] })
const mismatch = "UnschedulableAndUnresolvable: node(s) didn't match Pod's node affinity/selector"

describe('NodeAffinity', () => {
  const labelled = node({ labels: { disk: 'ssd', gen: '7' } })
  test.each<[string, Partial<Pod['spec']>, string]>([
    ['a pod that selects nothing is none of its business', {}, 'skip'],
    ['a node selector that holds', { nodeSelector: { disk: 'ssd' } }, 'ok'],
    ['a node selector that does not', { nodeSelector: { disk: 'hdd' } }, mismatch],
    ['terms are alternatives', required(expression('disk', 'In', 'hdd'), expression('gen', 'Exists')), 'ok'],
    ['an empty term matches nothing', required({}), mismatch],
    ['no terms match nothing', required(), mismatch],
    ['Gt compares numbers', required(expression('gen', 'Gt', '6')), 'ok'],
    ['Gt is not Ge', required(expression('gen', 'Gt', '7')), mismatch],
    ['Lt compares numbers, not texts', required(expression('gen', 'Lt', '10')), 'ok'],
    ['a label that is no number is neither greater nor less', required(expression('disk', 'Lt', '10')), mismatch],
    ['NotIn holds for a label that is not there', required(expression('none', 'NotIn', 'x')), 'ok'],
    ['a field by name', required({ matchFields: [field('In', 'n')] }), 'ok'],
    ['a field by another name leaves that node alone', required({ matchFields: [field('In', 'other')] }), 'only other'],
    ['fields that contradict each other', required({ matchFields: [field('In', 'n'), field('In', 'm')] }), 'UnschedulableAndUnresolvable: pod affinity terms conflict'],
    ['a field that excludes the node', required({ matchFields: [field('NotIn', 'n')] }), mismatch],
  ])('%s', (_, spec, expected) => expect(verdict(pluginOf('NodeAffinity'), pod(spec), labelled)).toBe(expected))
  const added = (requirement: object) => pluginOf('NodeAffinity', { NodeAffinity: { addedAffinity: requirement as never } })
  test('an affinity that the configuration adds holds for every pod', () => {
    const plugin = added({ requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [expression('disk', 'In', 'hdd')] } })
    expect(verdict(plugin, pod(), labelled)).toBe("UnschedulableAndUnresolvable: node(s) didn't match scheduler-enforced node affinity")
  })
  test('preferences add up, the configuration\'s and the pod\'s; without any there is nothing to say', () => {
    const preference = { weight: 20, preference: expression('disk', 'Exists') }
    const own = pod({ affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference: expression('gen', 'In', '7') as never }] } } })
    expect(score(added({ preferredDuringSchedulingIgnoredDuringExecution: [preference] }), own, labelled)).toBe(25)
    expect(score(pluginOf('NodeAffinity'), pod(), labelled)).toBe('skip')
  })
})

describe('TaintToleration and NodeUnschedulable', () => {
  const repelled = 'UnschedulableAndUnresolvable: node(s) had untolerated taint(s)'
  const tainted = node({ taints: [{ key: 'sla', value: '950', effect: 'NoSchedule' }] })
  const tolerating = (operator: string, value: string): Pod => pod({ tolerations: [{ key: 'sla', operator: operator as never, value, effect: 'NoSchedule' }] })
  test.each([
    ['Exists', '', {}, 'ok'], ['Equal', '950', {}, 'ok'], ['Equal', '900', {}, repelled],
    ['Gt', '900', {}, repelled],
    ['Gt', '900', { TaintTolerationComparisonOperators: true }, 'ok'],
    ['Lt', '900', { TaintTolerationComparisonOperators: true }, repelled],
    ['Gt', '0900', { TaintTolerationComparisonOperators: true }, repelled],
  ] as const)('a toleration %s %s with %j: %s', (operator, value, gates, expected) => {
    expect(verdict(pluginOf('TaintToleration', {}, gates), tolerating(operator, value), tainted)).toBe(expected)
  })
  test('PreferNoSchedule repels nobody, and counts against the node unless tolerated', () => {
    const soft = node({ taints: [{ key: 'a', effect: 'PreferNoSchedule' }, { key: 'b', effect: 'PreferNoSchedule' }] })
    expect(verdict(pluginOf('TaintToleration'), pod(), soft)).toBe('ok')
    expect(score(pluginOf('TaintToleration'), pod({ tolerations: [{ key: 'a', operator: 'Exists' }] }), soft)).toBe(1)
    expect(score(pluginOf('TaintToleration'), pod({ tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }] }), soft)).toBe(2)
  })
  test('NoExecute repels as NoSchedule does', () => expect(verdict(pluginOf('TaintToleration'), pod(), node({ taints: [{ key: 'a', effect: 'NoExecute' }] }))).toBe(repelled))
  test('a cordoned node takes none but those that tolerate that', () => {
    expect(verdict(pluginOf('NodeUnschedulable'), pod(), node({ unschedulable: true }))).toBe('UnschedulableAndUnresolvable: node(s) were unschedulable')
    expect(verdict(pluginOf('NodeUnschedulable'), pod({ tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }] }), node({ unschedulable: true }))).toBe('ok')
  })
})

describe('NodeName and NodePorts', () => {
  test('a pod that names another node', () => expect(verdict(pluginOf('NodeName'), pod({ nodeName: 'm' }), node())).toBe("UnschedulableAndUnresolvable: node(s) didn't match the requested node name"))
  const withPort = (hostPort: number, protocol = 'TCP', hostIP = ''): Pod => pod({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 1, hostPort, protocol: protocol as never, hostIP }] }] }, `q${hostPort}`)
  test.each([
    [withPort(80), withPort(80), 'Unschedulable'], [withPort(80), withPort(81), 'ok'], [withPort(80), withPort(80, 'UDP'), 'ok'],
    [withPort(80, 'TCP', '10.0.0.1'), withPort(80, 'TCP', '10.0.0.2'), 'ok'], [withPort(80, 'TCP', '10.0.0.1'), withPort(80), 'Unschedulable'], [withPort(80), withPort(80, 'TCP', '0.0.0.0'), 'Unschedulable'],
  ])('ports %#', (taken, wanted, expected) => {
    const full = node()
    full.addPod(podInfoOf(taken))
    expect(verdict(pluginOf('NodePorts'), { ...wanted, metadata: { ...wanted.metadata, name: 'wanted' } }, full)).toBe(expected === 'ok' ? 'ok' : "Unschedulable: node(s) didn't have free ports for the requested pod ports")
  })
  test('an init container\'s port is not taken, a sidecar\'s is', () => {
    const inits = (restartPolicy?: 'Always'): Pod => pod({ initContainers: [{ name: 'i', image: 'i', ...(restartPolicy ? { restartPolicy } : {}), ports: [{ containerPort: 1, hostPort: 80 }] }] })
    expect(verdict(pluginOf('NodePorts'), inits(), node())).toBe('skip')
    expect(verdict(pluginOf('NodePorts'), inits('Always'), node())).toBe('ok')
  })
})

describe('NodeResourcesFit', () => {
  test.each<[string, Pod, NodeInfo, string]>([
    ['what fits exactly', asking({ cpu: '4', memory: '4Gi' }), node(), 'ok'],
    ['what even the empty node lacks cannot be helped', asking({ cpu: '5' }), node(), 'UnschedulableAndUnresolvable: Insufficient cpu'],
    ['all reasons are told', asking({ cpu: '5', memory: '5Gi', 'ephemeral-storage': '1' }), node(), 'UnschedulableAndUnresolvable: Insufficient cpu, Insufficient memory, Insufficient ephemeral-storage'],
    ['too many pods', asking({}), node({ allocatable: { pods: '0' } }), 'Unschedulable: Too many pods'],
    ['an extended resource', asking({ 'a.io/gpu': '2' }), node({ allocatable: { 'a.io/gpu': '1' } }), 'UnschedulableAndUnresolvable: Insufficient a.io/gpu'],
    ['none of an extended resource is no wish', asking({ 'a.io/gpu': '0' }), node(), 'ok'],
    ['overhead counts', asking({ cpu: '4' }, { overhead: { cpu: '1m' } }), node(), 'UnschedulableAndUnresolvable: Insufficient cpu'],
    ['the largest init step counts instead', asking({ cpu: '1' }, { initContainers: [{ name: 'i', image: 'i', resources: { requests: { cpu: '5' } } }] }), node(), 'UnschedulableAndUnresolvable: Insufficient cpu'],
    ['pod-level resources count instead', asking({ cpu: '5' }, { resources: { requests: { cpu: '3' } } }), node(), 'ok'],
  ])('%s', (_, given, on, expected) => expect(verdict(pluginOf('NodeResourcesFit'), given, on)).toBe(expected))
  test('what pods already take is not free; removing them could help', () => {
    const used = node()
    used.addPod(podInfoOf({ ...asking({ cpu: '3' }), metadata: { name: 'other', namespace: 'default' } }))
    expect(verdict(pluginOf('NodeResourcesFit'), asking({ cpu: '2' }), used)).toBe('Unschedulable: Insufficient cpu')
  })
  test.each([[{ ignoredResources: ['a.io/gpu'] }, 'ok'], [{ ignoredResourceGroups: ['a.io'] }, 'ok'], [{ ignoredResources: ['cpu'] }, 'UnschedulableAndUnresolvable: Insufficient a.io/gpu']])('with %j', (args, expected) => {
    expect(verdict(pluginOf('NodeResourcesFit', { NodeResourcesFit: args }), asking({ 'a.io/gpu': '1' }), node())).toBe(expected)
  })
  const half = asking({ cpu: '2', memory: '1Gi' })
  test.each<[string, NonNullable<PluginArgs['NodeResourcesFit']>, Pod, number]>([
    ['least: (50 + 75) / 2', {}, half, 62],
    ['most: (50 + 25) / 2', { scoringStrategy: { type: 'MostAllocated' } }, half, 37],
    ['weights', { scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 3 }, { name: 'memory', weight: 1 }] } }, half, 43],
    ['a pod that asks for nothing counts as 100m and 200Mi', {}, asking({}), 96],
    ['a ratio, broken linear between its points', { scoringStrategy: { type: 'RequestedToCapacityRatio', requestedToCapacityRatio: { shape: [{ utilization: 0, score: 0 }, { utilization: 100, score: 10 }] } } }, half, 38],
    ['extended resources that the pod does not ask for are left out', { scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 1 }, { name: 'a.io/gpu', weight: 9 }] } }, half, 50],
  ])('scores: %s', (_, args, given, expected) => expect(score(pluginOf('NodeResourcesFit', { NodeResourcesFit: args }), given, node())).toBe(expected))
})

describe('NodeResourcesBalancedAllocation', () => {
  test.each<[string, Pod, number]>([
    ['nothing asked for', asking({}), NaN],
    ['what leaves the balance as it is', asking({ cpu: '2', memory: '2Gi' }), 75],
    ['what upsets it', asking({ cpu: '4' }), 50],
    ['what upsets it by half', asking({ cpu: '2' }), 62],
  ])('%s', (_, given, expected) => expect(score(pluginOf('NodeResourcesBalancedAllocation'), given, node())).toBe(Number.isNaN(expected) ? 'skip' : expected))
  test('what mends the balance', () => {
    const tilted = node()
    tilted.addPod(podInfoOf({ ...asking({ cpu: '2' }), metadata: { name: 'other', namespace: 'default' } }))
    expect(score(pluginOf('NodeResourcesBalancedAllocation'), asking({ memory: '2Gi' }), tilted)).toBe(87)
  })
})

describe('ImageLocality', () => {
  const mebibyte = 1024 * 1024
  const having = (megabytes: number): NodeInfo => node({ images: [{ names: ['i:latest'], sizeBytes: megabytes * mebibyte }] })
  const other: Node = { metadata: { name: 'm' }, spec: {} }
  test.each<[string, NodeInfo, Pod, Node[], number]>([
    ['an image below 23 MiB does not count', having(20), pod(), [], 0],
    ['an image of 1000 MiB counts in full', having(1000), pod(), [], 100],
    ['one that half of the nodes have counts half', having(1000), pod(), [other], 48],
    ['the bound grows with the containers', having(1000), pod({ initContainers: [{ name: 'x', image: 'x' }] }), [], 49],
    ['a volume that is an image counts, too', having(500), pod({ volumes: [{ name: 'v', image: { reference: 'i' } }] }), [], 100],
  ])('%s', (_, on, given, others, expected) => expect(score(pluginOf('ImageLocality'), given, on, others)).toBe(expected))
})
