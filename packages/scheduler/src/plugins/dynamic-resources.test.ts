import { describe, expect, test } from 'vitest'
import { CycleState } from '../framework/cycle-state.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { dynamicResources } from './dynamic-resources.ts'
import { claimOf, deviceCache, exactly, given, node1, nodeNamed, podWith, sliceOf, type DeviceCluster } from './dynamic-resources/test-devices.ts'
import { nodeDeclaredFeatures } from './node-declared-features.ts'
import { contextOf, verdicts } from './volume-binding/test-storage.ts'

const n2 = nodeNamed('n2')
const slices = [sliceOf('s', ['a', 'b'])]
const none = 'UnschedulableAndUnresolvable: cannot allocate all claims'

describe('DynamicResources says', () => {
  test.each<[what: string, cluster: DeviceCluster, claims: string[], wanted: string | Record<string, string>]>([
    ['a pod without claims', {}, [], 'skip'],
    ['a claim that is not there', {}, ['c'], 'UnschedulableAndUnresolvable: could not find ResourceClaim "ns/c"'],
    ['a class that is not there', { claims: [claimOf('c', [exactly('r', { deviceClassName: 'x' })])] }, ['c'], 'UnschedulableAndUnresolvable: request r: device class x does not exist'],
    ['a node with a device', { nodes: [node1, n2], claims: [claimOf('c')], slices }, ['c'], { n1: 'ok', n2: none }],
    ['no slices', { claims: [claimOf('c')] }, ['c'], { n1: none }],
    ['devices that others have', { claims: [claimOf('c'), claimOf('d', [exactly('r')], { allocation: given('a', 'b') })], slices }, ['c'], { n1: none }],
    ['one device left', { claims: [claimOf('c'), claimOf('d', [exactly('r')], { allocation: given('a') })], slices }, ['c'], { n1: 'ok' }],
    ['more than there are', { claims: [claimOf('c', [exactly('r', { count: 3 })])], slices }, ['c'], { n1: none }],
    ['two claims', { claims: [claimOf('c'), claimOf('d')], slices }, ['c', 'd'], { n1: 'ok' }],
    ['a claim that has its device elsewhere', {
      nodes: [node1, n2], slices,
      claims: [claimOf('c', [exactly('r')], { allocation: { ...given('a'), nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }] } } })],
    }, ['c'], { n1: 'ok', n2: 'UnschedulableAndUnresolvable: resourceclaim not available on the node' }],
  ])('%s', (_what, cluster, claims, wanted) => {
    const cache = deviceCache(cluster)
    expect(verdicts(dynamicResources(contextOf(cache)), cache, podWith(...claims))).toEqual(wanted)
  })

  test('what is reserved is not given twice, and is given again when it is let go', () => {
    const cache = deviceCache({ claims: [claimOf('c'), claimOf('d')], slices: [sliceOf('s', ['a'])] })
    const plugin = dynamicResources(contextOf(cache))
    const first = podInfoOf(podWith('c'))
    const state = new CycleState()
    plugin.preFilter?.(state, first, cache)
    plugin.filter?.(state, first, cache.node('n1')!)
    expect(plugin.reserve?.(state, first, 'n1')).toBeUndefined()
    const second = podWith('d')
    expect(verdicts(plugin, cache, second)).toEqual({ n1: none })
    plugin.unreserve?.(state, first, 'n1')
    expect(verdicts(plugin, cache, second)).toEqual({ n1: 'ok' })
  })
})

test('NodeDeclaredFeatures keeps pods to nodes that declare what they need', () => {
  const declaring = { ...n2, status: { ...n2.status, declaredFeatures: ['UserNamespacesHostNetworkSupport'] } }
  const cache = deviceCache({ nodes: [node1, declaring] })
  const plain = podWith()
  expect(verdicts(nodeDeclaredFeatures(), cache, plain)).toBe('skip')
  expect(verdicts(nodeDeclaredFeatures(), cache, { ...plain, spec: { ...plain.spec, hostNetwork: true, hostUsers: false } })).toEqual({ n1: "UnschedulableAndUnresolvable: node(s) didn't match Pod's required features", n2: 'ok' })
})
