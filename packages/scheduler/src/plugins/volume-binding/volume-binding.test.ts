import { expect, test } from 'vitest'
import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { CSIDriver, CSIStorageCapacity } from '@berth/api/types/storage/v1'
import { CycleState } from '../../framework/cycle-state.ts'
import { podInfoOf } from '../../framework/pod-info.ts'
import { volumeBinding } from '../volume-binding.ts'
import { boundClaim, cacheOf, claimOf, claimVolume, classOf, contextOf, csiNodeOf, ephemeralVolume, hint, inZone, nodeOf, podOf, setObject, verdicts, volumeOf, type StorageCluster } from './test-storage.ts'

const zones = [nodeOf('a', { zone: 'a' }), nodeOf('b', { zone: 'b' })]
const late = classOf('late')
const manual = classOf('late', { provisioner: 'kubernetes.io/no-provisioner' })
const pod = podOf('p', [claimVolume('c')])
const affinity = "UnschedulableAndUnresolvable: node(s) didn't match PersistentVolume's node affinity"
const noMatch = "UnschedulableAndUnresolvable: node(s) didn't find available persistent volumes to bind"
const noSpace = 'UnschedulableAndUnresolvable: node(s) did not have enough free storage'
const gone = 'UnschedulableAndUnresolvable: node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'
const driver = (storageCapacity?: boolean): CSIDriver => ({ metadata: { name: 'csi.example.com' }, spec: { ...(storageCapacity === undefined ? {} : { storageCapacity }) } })
const capacity = (zone: string, size: string | undefined, more: Partial<CSIStorageCapacity> = {}): CSIStorageCapacity => ({ metadata: { name: `cap-${zone}`, namespace: 'kube-system' }, storageClassName: 'late', nodeTopology: { matchLabels: { zone } }, ...(size === undefined ? {} : { capacity: size }), ...more })
const ephemeral = podOf('p', [ephemeralVolume('data')])
const ownedBy = (uid: string): Partial<ReturnType<typeof claimOf>['metadata']> => ({ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true }] })

test.each<[string, StorageCluster, Pod, string | Record<string, string>]>([
  ['a pod without claims is none of its business', {}, podOf('p', [{ name: 'tmp', emptyDir: {} }]), 'skip'],
  ['a claim that is not there', {}, pod, 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" not found'],
  ["another namespace's claim", { claims: [claimOf('c', {}, { namespace: 'other' })] }, pod, 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" not found'],
  ['a claim that is going', { claims: [claimOf('c', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })] }, pod, 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" is being deleted'],
  ['a claim that lost its volume', { claims: [{ ...boundClaim('c', 'pv'), status: { phase: 'Lost' } }] }, pod, 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" bound to non-existent persistentvolume "pv"'],
  ['an ephemeral claim that is still to be made', {}, ephemeral, 'UnschedulableAndUnresolvable: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-data"'],
  ["an ephemeral claim of somebody else's", { claims: [claimOf('p-data')] }, ephemeral, 'UnschedulableAndUnresolvable: PVC ns/p-data was not created for pod ns/p (pod is not owner)'],
  ['an ephemeral claim of an earlier pod of that name', { claims: [claimOf('p-data', {}, ownedBy('old'))] }, ephemeral, 'UnschedulableAndUnresolvable: PVC ns/p-data was not created for pod ns/p (pod is not owner)'],
  ['an ephemeral claim of its own', { claims: [claimOf('p-data', {}, ownedBy('uid-p'))], classes: [late] }, ephemeral, { n1: 'ok' }],
  ['an immediate claim that is not bound yet', { claims: [claimOf('c', { storageClassName: 'now' })], classes: [classOf('now', { volumeBindingMode: 'Immediate' })] }, pod, 'UnschedulableAndUnresolvable: pod has unbound immediate PersistentVolumeClaims'],
  ['a claim without a class is immediate', { claims: [claimOf('c', { storageClassName: '' })] }, pod, 'UnschedulableAndUnresolvable: pod has unbound immediate PersistentVolumeClaims'],
  ['a claim whose class is not there is immediate', { claims: [claimOf('c')] }, pod, 'UnschedulableAndUnresolvable: pod has unbound immediate PersistentVolumeClaims'],
  ['a late claim that asks for one volume is the binder\'s', { claims: [claimOf('c', { volumeName: 'pv' })], classes: [late] }, pod, 'UnschedulableAndUnresolvable: pod has unbound immediate PersistentVolumeClaims'],
  ['a volume name without bind-completed is not bound', { claims: [{ ...boundClaim('c', 'pv'), metadata: claimOf('c').metadata }], classes: [late], volumes: [volumeOf('pv')] }, pod, 'UnschedulableAndUnresolvable: pod has unbound immediate PersistentVolumeClaims'],
  ['a bound claim whose volume is in a zone', { nodes: zones, claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv', { nodeAffinity: inZone('a') })] }, pod, { a: 'ok', b: affinity }],
  ['a bound claim whose volume is anywhere', { nodes: zones, claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv')] }, pod, { a: 'ok', b: 'ok' }],
  ['a bound claim whose volume has gone', { nodes: zones, claims: [boundClaim('c', 'pv')] }, pod, { a: gone, b: gone }],
  ['an existing volume for a late claim', { nodes: zones, claims: [claimOf('c')], classes: [manual], volumes: [volumeOf('pv', { nodeAffinity: inZone('a') })] }, pod, { a: 'ok', b: noMatch }],
  ['no volume for one of two late claims', { nodes: zones, claims: [claimOf('c'), claimOf('d')], classes: [manual], volumes: [volumeOf('pv', { nodeAffinity: inZone('a') }), volumeOf('pv2', { nodeAffinity: inZone('a') }), volumeOf('pv3', { nodeAffinity: inZone('b') })] },
    podOf('p', [claimVolume('c'), claimVolume('d')]), { a: 'ok', b: noMatch }],
  ['two claims do not get the same volume, and the small one leaves the large one its', { claims: [claimOf('c', { resources: { requests: { storage: '8Gi' } } }), claimOf('d')], classes: [manual], volumes: [volumeOf('large'), volumeOf('small', { capacity: { storage: '6Gi' } })] },
    podOf('p', [claimVolume('c'), claimVolume('d')]), { n1: 'ok' }],
  ['a volume to be made', { nodes: zones, claims: [claimOf('c')], classes: [late] }, pod, { a: 'ok', b: 'ok' }],
  ['a volume to be made, in the zones of its class', { nodes: zones, claims: [claimOf('c')], classes: [classOf('late', { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['b'] }] }] })] }, pod, { a: noMatch, b: 'ok' }],
  ['a volume that is being made for another node', { nodes: zones, claims: [claimOf('c', {}, { annotations: { 'volume.kubernetes.io/selected-node': 'b' } })], classes: [late] }, pod, { a: noMatch, b: 'ok' }],
  ['a driver that does not tell its capacity', { nodes: zones, claims: [claimOf('c')], classes: [late], drivers: [driver()] }, pod, { a: 'ok', b: 'ok' }],
  ['capacity in one zone', { nodes: zones, claims: [claimOf('c')], classes: [late], drivers: [driver(true)], capacities: [capacity('a', '4Gi'), capacity('b', '5Gi')] }, pod, { a: noSpace, b: 'ok' }],
  ['the largest volume counts, not the capacity', { nodes: zones, claims: [claimOf('c')], classes: [late], drivers: [driver(true)], capacities: [capacity('a', '100Gi', { maximumVolumeSize: '4Gi' }), capacity('b', '1Gi', { maximumVolumeSize: '6Gi' })] }, pod, { a: noSpace, b: 'ok' }],
  ['capacity of another class, without a topology, or unknown', { nodes: zones, claims: [claimOf('c')], classes: [late], drivers: [driver(true)], capacities: [capacity('a', '9Gi', { storageClassName: 'x' }), { metadata: { name: 'y' }, storageClassName: 'late', capacity: '9Gi' }, capacity('b', undefined)] }, pod, { a: noSpace, b: noSpace }],
  ['an existing volume needs no capacity', { nodes: zones, claims: [claimOf('c')], classes: [late], drivers: [driver(true)], volumes: [volumeOf('pv', { nodeAffinity: inZone('a') })] }, pod, { a: 'ok', b: noSpace }],
  ['two things at once', { nodes: zones, claims: [boundClaim('c', 'pv'), claimOf('d')], classes: [manual], volumes: [volumeOf('pv', { claimRef: { name: 'c', namespace: 'ns' }, nodeAffinity: inZone('a') })] },
    podOf('p', [claimVolume('c'), claimVolume('d')]), { a: noMatch, b: "UnschedulableAndUnresolvable: node(s) didn't match PersistentVolume's node affinity; node(s) didn't find available persistent volumes to bind" }],
  ['an in-tree disk is where its driver says', {
    nodes: [nodeOf('a', { 'topology.ebs.csi.aws.com/zone': 'a', 'topology.kubernetes.io/zone': 'a' }), nodeOf('b', { 'topology.kubernetes.io/zone': 'a' })],
    csiNodes: [csiNodeOf('a', {}, { 'storage.alpha.kubernetes.io/migrated-plugins': 'kubernetes.io/aws-ebs' }), csiNodeOf('b', {}, { 'storage.alpha.kubernetes.io/migrated-plugins': 'kubernetes.io/aws-ebs,kubernetes.io/cinder' })],
    claims: [boundClaim('c', 'pv')],
    volumes: [volumeOf('pv', { awsElasticBlockStore: { volumeID: 'aws://a/vol-1' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] }] }] } } })],
  }, pod, { a: 'ok', b: affinity }],
])('%s', (_, cluster, given, expected) => {
  const cache = cacheOf(cluster)
  expect(verdicts(volumeBinding(contextOf(cache)), cache, given)).toEqual(expected)
})

test('a late claim whose class goes away between PreFilter and Filter is an error, not a verdict', () => {
  const cache = cacheOf({ claims: [claimOf('c')], classes: [late] })
  const plugin = volumeBinding(contextOf(cache))
  const state = new CycleState()
  plugin.preFilter?.(state, podInfoOf(pod), cache)
  cache.apply({ type: 'object-gone', resource: 'storageclasses.storage.k8s.io', key: 'late' })
  expect(() => plugin.filter?.(state, podInfoOf(pod), cache.nodes[0]!)).toThrow('failed to find storage class "late"')
})

/** Decides for a pod on a node up to reserve. */
function reserveOn(plugin: ReturnType<typeof volumeBinding>, cache: ReturnType<typeof cacheOf>, given: Pod, node: string): { state: CycleState; unreserve(): void } {
  const state = new CycleState()
  const info = podInfoOf(given)
  plugin.preFilter?.(state, info, cache)
  expect(plugin.filter?.(state, info, cache.node(node)!)).toBeUndefined()
  expect(plugin.reserve?.(state, info, node)).toBeUndefined()
  return { state, unreserve: () => plugin.unreserve?.(state, info, node) }
}

test('a volume that was given to one pod is not given to the next, until that is taken back', () => {
  const cache = cacheOf({ claims: [claimOf('c'), claimOf('d')], classes: [manual], volumes: [volumeOf('pv')] })
  const plugin = volumeBinding(contextOf(cache))
  const other = podOf('q', [claimVolume('d')])
  const { unreserve } = reserveOn(plugin, cache, pod, 'n1')
  expect(verdicts(plugin, cache, other)).toEqual({ n1: noMatch })
  unreserve()
  expect(verdicts(plugin, cache, other)).toEqual({ n1: 'ok' })
})

test('a claim that was given to one node is not wanted on another, until that is taken back', () => {
  const cache = cacheOf({ nodes: zones, claims: [claimOf('c')], classes: [late] })
  const plugin = volumeBinding(contextOf(cache))
  const { unreserve } = reserveOn(plugin, cache, pod, 'a')
  expect(verdicts(plugin, cache, podOf('q', [claimVolume('c')]))).toEqual({ a: 'ok', b: noMatch })
  unreserve()
  expect(verdicts(plugin, cache, podOf('q', [claimVolume('c')]))).toEqual({ a: 'ok', b: 'ok' })
})

test('what the API says of a volume later goes before what was assumed', () => {
  const cache = cacheOf({ claims: [claimOf('c'), claimOf('d')], classes: [manual], volumes: [volumeOf('pv')] })
  const plugin = volumeBinding(contextOf(cache))
  reserveOn(plugin, cache, pod, 'n1')
  setObject(cache, core.persistentvolumes, { ...volumeOf('pv'), metadata: { name: 'pv', resourceVersion: '2' } })
  expect(verdicts(plugin, cache, podOf('q', [claimVolume('d')]))).toEqual({ n1: 'ok' })
})

test('a pod whose claims are all bound has nothing to reserve', () => {
  const cache = cacheOf({ claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv')] })
  const plugin = volumeBinding(contextOf(cache))
  reserveOn(plugin, cache, pod, 'n1').unreserve()
})

test.each<[string, string, unknown, unknown, boolean | undefined]>([
  ['a new class', 'StorageClassAdded', undefined, late, true],
  ['a class with other parameters', 'StorageClassUpdated', late, { ...late, parameters: { a: 'b' } }, false],
  ['a class with other topologies', 'StorageClassUpdated', late, { ...late, allowedTopologies: [{}] }, true],
  ['its claim', 'PersistentVolumeClaimAdded', undefined, claimOf('c'), true],
  ['its claim, changed', 'PersistentVolumeClaimUpdated', claimOf('c'), claimOf('c'), true],
  ['a claim of another name', 'PersistentVolumeClaimAdded', undefined, claimOf('d'), false],
  ['a claim of another namespace', 'PersistentVolumeClaimAdded', undefined, claimOf('c', {}, { namespace: 'x' }), false],
  ['any volume', 'PersistentVolumeAdded', undefined, volumeOf('pv'), true],
  ['a node', 'NodeAdded', undefined, nodeOf('n'), true],
  ['less taints', 'NodeTaintsChanged', nodeOf('n'), nodeOf('n'), undefined],
  ['a CSINode', 'CSINodeAdded', undefined, csiNodeOf('n', {}), true],
  ['a CSINode with more volumes', 'CSINodeUpdated', csiNodeOf('n', { d: 1 }), csiNodeOf('n', { d: 2 }), false],
  ['a CSINode that serves one more in-tree type', 'CSINodeUpdated', csiNodeOf('n', {}), csiNodeOf('n', {}, { 'storage.alpha.kubernetes.io/migrated-plugins': 'kubernetes.io/aws-ebs' }), true],
  ['more capacity', 'CSIStorageCapacityUpdated', capacity('a', '1Gi'), capacity('a', '2Gi'), true],
  ['less capacity', 'CSIStorageCapacityUpdated', capacity('a', '2Gi'), capacity('a', '1Gi'), false],
  ['more capacity, no larger volumes', 'CSIStorageCapacityUpdated', capacity('a', '1Gi', { maximumVolumeSize: '1Gi' }), capacity('a', '2Gi', { maximumVolumeSize: '1Gi' }), false],
  ['a driver that tells its capacity no more', 'CSIDriverUpdated', driver(true), driver(false), true],
  ['a driver that tells its capacity from now on', 'CSIDriverUpdated', driver(false), driver(true), false],
])('%s: does it help?', (_, event, old, now, helps) => {
  expect(hint(volumeBinding(contextOf(cacheOf({}))), event, pod, old, now)).toBe(helps)
})

test('storage that is fuller is worth less, class by class, where the gate is on', () => {
  const cluster: StorageCluster = {
    nodes: [...zones, nodeOf('c', { zone: 'c' })], claims: [claimOf('c')], classes: [late],
    drivers: [driver(true)], capacities: [capacity('a', '10Gi'), capacity('b', '50Gi')], volumes: [volumeOf('pv', { nodeAffinity: inZone('c'), capacity: { storage: '20Gi' } })],
  }
  const scores = (gates: Record<string, boolean>, shape?: Array<{ utilization: number; score: number }>): unknown => {
    const cache = cacheOf(cluster)
    const plugin = volumeBinding(contextOf(cache, { gates, ...(shape ? { args: { VolumeBinding: { shape } } } : {}) }))
    const state = new CycleState()
    const info = podInfoOf(pod)
    plugin.preFilter?.(state, info, cache)
    for (const node of cache.nodes) plugin.filter?.(state, info, node)
    if (plugin.preScore?.(state, info, cache.nodes, cache)?.code === 'Skip') return 'skip'
    return cache.nodes.map((node) => plugin.score?.(state, info, node))
  }
  expect(scores({})).toBe('skip')
  expect(scores({ StorageCapacityScoring: true })).toEqual([50, 90, 75])
  expect(scores({ StorageCapacityScoring: true }, [{ utilization: 0, score: 0 }, { utilization: 100, score: 10 }])).toEqual([50, 10, 25])
})
