import { expect, test } from 'vitest'
import type { PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import type { VolumeAttachment } from '@berth/api/types/storage/v1'
import { CycleState } from '../framework/cycle-state.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'
import { boundClaim, cacheOf, claimOf, claimVolume, classOf, contextOf, csiNodeOf, ephemeralVolume, hint, nodeOf, podOf, verdicts, volumeOf, type StorageCluster } from './volume-binding/test-storage.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

const gce = (pdName: string, readOnly = false): Volume => ({ name: 'v', gcePersistentDisk: { pdName, readOnly } })
const ebs = (volumeID: string, readOnly = false): Volume => ({ name: 'v', awsElasticBlockStore: { volumeID, readOnly } })
const iscsi = (iqn: string, readOnly = false): Volume => ({ name: 'v', iscsi: { iqn, lun: 0, targetPortal: 'x', readOnly } })
const rbd = (monitors: string[], image: string, more: { pool?: string; readOnly?: boolean } = {}): Volume => ({ name: 'v', rbd: { monitors, image, ...more } })
const only = (name: string): PersistentVolumeClaim => boundClaim(name, `pv-${name}`, { accessModes: ['ReadWriteOncePod'] })
const disk = 'Unschedulable: node(s) had no available disk'
const inUse = 'Unschedulable: node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'

test.each<[string, Volume, Volume, boolean]>([
  ['a GCE disk', gce('d'), gce('d'), true],
  ['a GCE disk that both read', gce('d', true), gce('d', true), false],
  ['a GCE disk that one reads', gce('d', true), gce('d'), true],
  ['another GCE disk', gce('d'), gce('e'), false],
  ['an EBS volume', ebs('v'), ebs('v'), true],
  ['an EBS volume, even if both read', ebs('v', true), ebs('v', true), true],
  ['an iSCSI target', iscsi('i'), iscsi('i'), true],
  ['an iSCSI target that both read', iscsi('i', true), iscsi('i', true), false],
  ['an RBD image with one monitor in common', rbd(['a', 'b'], 'i'), rbd(['b', 'c'], 'i'), true],
  ['an RBD image of other monitors', rbd(['a'], 'i'), rbd(['b'], 'i'), false],
  ['an RBD image of another pool', rbd(['a'], 'i', { pool: 'x' }), rbd(['a'], 'i'), false],
  ['an RBD image that both read', rbd(['a'], 'i', { readOnly: true }), rbd(['a'], 'i', { readOnly: true }), false],
  ['a GCE disk beside an EBS volume', gce('v'), ebs('v'), false],
])('VolumeRestrictions: %s twice on a node', (_, wanted, taken, conflicts) => {
  const cache = cacheOf({ nodes: [nodeOf('n1'), nodeOf('n2')], pods: [podOf('other', [taken], 'n1')] })
  expect(verdicts(volumeRestrictions(), cache, podOf('p', [wanted]))).toEqual({ n1: conflicts ? disk : 'ok', n2: 'ok' })
})

test.each<[string, StorageCluster, string | Record<string, string>]>([
  ['a claim that is not there', {}, 'UnschedulableAndUnresolvable: persistentvolumeclaim "c" not found'],
  ['a claim that many may have', { claims: [boundClaim('c', 'pv')], pods: [podOf('other', [claimVolume('c')], 'n1')] }, 'skip'],
  ['a claim for one pod, which nobody has', { claims: [only('c')] }, { n1: 'ok' }],
  ['a claim for one pod, which another node has', { nodes: [nodeOf('n1'), nodeOf('n2')], claims: [only('c')], pods: [podOf('other', [claimVolume('c')], 'n2')] }, { n1: inUse, n2: inUse }],
  ['a claim for one pod, of that name in another namespace', { claims: [only('c')], pods: [podOf('other', [claimVolume('c')], 'n1', 'elsewhere')] }, { n1: 'ok' }],
])('VolumeRestrictions: %s', (_, cluster, expected) => {
  const cache = cacheOf(cluster)
  expect(verdicts(volumeRestrictions(), cache, podOf('p', [claimVolume('c')]))).toEqual(expected)
})

test('a pod that holds a claim for one pod can be taken away, and counts again when it comes back', () => {
  const cache = cacheOf({ claims: [only('c')], pods: [podOf('other', [claimVolume('c')], 'n1')] })
  const plugin = volumeRestrictions()
  const state = new CycleState()
  const info = podInfoOf(podOf('p', [claimVolume('c')]))
  const other = podInfoOf(podOf('other', [claimVolume('c')], 'n1'))
  const node = cache.node('n1')!.clone()
  const says = (): string | undefined => plugin.filter?.(state, info, node)?.reasons[0]
  plugin.preFilter?.(state, info, cache)
  const answers = [says()]
  plugin.removePod?.(state, info, other, node)
  node.removePod(other.key)
  answers.push(says())
  plugin.addPod?.(state, info, other, node)
  node.addPod(other)
  answers.push(says())
  const text = inUse.replace('Unschedulable: ', '')
  expect(answers).toEqual([text, undefined, text])
})

test.each<[string, string, Pod, unknown, unknown, boolean | undefined]>([
  ['a pod with its disk goes', 'AssignedPodDeleted', podOf('p', [gce('d')]), podOf('o', [gce('d')], 'n1'), undefined, true],
  ['a pod with another disk goes', 'AssignedPodDeleted', podOf('p', [gce('d')]), podOf('o', [gce('e')], 'n1'), undefined, false],
  ['a pod with its claim goes', 'AssignedPodDeleted', podOf('p', [claimVolume('c')]), podOf('o', [claimVolume('c')], 'n1'), undefined, true],
  ['a pod of another namespace goes', 'AssignedPodDeleted', podOf('p', [claimVolume('c')]), podOf('o', [claimVolume('c')], 'n1', 'x'), undefined, false],
  ['its claim comes', 'PersistentVolumeClaimAdded', podOf('p', [claimVolume('c')]), undefined, claimOf('c'), true],
  ['another claim comes', 'PersistentVolumeClaimAdded', podOf('p', [claimVolume('c')]), undefined, claimOf('d'), false],
  ['a claim changes', 'PersistentVolumeClaimUpdated', podOf('p', [claimVolume('c')]), claimOf('c'), claimOf('c'), undefined],
])('VolumeRestrictions, %s: does it help?', (_, event, pod, old, now, helps) => {
  expect(hint(volumeRestrictions(), event, pod, old, now)).toBe(helps)
})

const zoned = [nodeOf('a', { 'topology.kubernetes.io/zone': 'a', 'topology.kubernetes.io/region': 'r' }), nodeOf('b', { 'topology.kubernetes.io/zone': 'b' }), nodeOf('plain')]
const noZone = 'UnschedulableAndUnresolvable: node(s) had no available volume zone'
const unresolvable = (text: string): string => `UnschedulableAndUnresolvable: ${text}`

test.each<[string, StorageCluster, string | Record<string, string>]>([
  ['a volume without labels', { claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv')] }, 'skip'],
  ['a volume in a zone', { claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv', {}, { 'topology.kubernetes.io/zone': 'a' })] }, { a: 'ok', b: noZone, plain: 'ok' }],
  ['a volume in two zones', { claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv', {}, { 'topology.kubernetes.io/zone': 'b__c' })] }, { a: noZone, b: 'ok', plain: 'ok' }],
  ['a volume with the label of old', { claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv', {}, { 'failure-domain.beta.kubernetes.io/zone': 'a' })] }, { a: 'ok', b: noZone, plain: 'ok' }],
  ['a volume in a region of which a node says nothing', { claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv', {}, { 'topology.kubernetes.io/region': 'r' })] }, { a: 'ok', b: noZone, plain: 'ok' }],
  ['a label that cannot be read', { claims: [boundClaim('c', 'pv')], volumes: [volumeOf('pv', {}, { 'topology.kubernetes.io/zone': 'a__' })] }, 'skip'],
  ['a claim that is not there', {}, unresolvable('persistentvolumeclaim "c" not found')],
  ['a volume that is not there', { claims: [boundClaim('c', 'pv')] }, unresolvable('persistentvolume "pv" not found')],
  ['a class that is not there', { claims: [claimOf('c')] }, unresolvable('storageclass.storage.k8s.io "late" not found')],
  ['neither volume nor class', { claims: [claimOf('c', { storageClassName: '' })] }, unresolvable('PersistentVolumeClaim had no pv name and storageClass name')],
  ['a class that does not say when it binds', { claims: [claimOf('c')], classes: [{ metadata: { name: 'late' }, provisioner: 'x' }] }, unresolvable('VolumeBindingMode not set for StorageClass "late"')],
  ['an immediate claim without a volume', { claims: [claimOf('c')], classes: [classOf('late', { volumeBindingMode: 'Immediate' })] }, unresolvable('PersistentVolume had no name')],
  ['a claim that waits for the pod', { claims: [claimOf('c')], classes: [classOf('late')] }, 'skip'],
])('VolumeZone: %s', (_, cluster, expected) => {
  const cache = cacheOf({ nodes: zoned, ...cluster })
  expect(verdicts(volumeZone(), cache, podOf('p', [claimVolume('c')]))).toEqual(expected)
})

test.each<[string, string, unknown, unknown, boolean | undefined]>([
  ['a late class comes', 'StorageClassAdded', undefined, classOf('late'), true],
  ['an immediate class comes', 'StorageClassAdded', undefined, classOf('now', { volumeBindingMode: 'Immediate' }), false],
  ['its claim changes', 'PersistentVolumeClaimUpdated', claimOf('c'), claimOf('c'), true],
  ['another claim changes', 'PersistentVolumeClaimUpdated', claimOf('d'), claimOf('d'), false],
  ['a volume comes', 'PersistentVolumeAdded', undefined, volumeOf('pv'), true],
  ['a volume moves', 'PersistentVolumeUpdated', volumeOf('pv', {}, { 'topology.kubernetes.io/zone': 'a' }), volumeOf('pv', {}, { 'topology.kubernetes.io/zone': 'b' }), true],
  ['a volume gets another label', 'PersistentVolumeUpdated', volumeOf('pv'), volumeOf('pv', {}, { x: 'y' }), false],
])('VolumeZone, %s: does it help?', (_, event, old, now, helps) => {
  expect(hint(volumeZone(), event, podOf('p', [claimVolume('c')]), old, now)).toBe(helps)
})

const csi = (name: string, driver = 'd'): ReturnType<typeof volumeOf> => volumeOf(name, { csi: { driver, volumeHandle: `h-${name}` } })
const attachment = (pv: string, nodeName = 'n1', attacher = 'd'): VolumeAttachment => ({ metadata: { name: `va-${pv}` }, spec: { attacher, nodeName, source: { persistentVolumeName: pv } } })
const full = 'Unschedulable: node(s) exceed max volume count'
const bound = (n: number): Pick<StorageCluster, 'claims' | 'volumes'> => ({ claims: Array.from({ length: n }, (_, i) => boundClaim(`c${i}`, `pv${i}`)), volumes: Array.from({ length: n }, (_, i) => csi(`pv${i}`)) })
const wants = podOf('p', [claimVolume('c0')])
const owned: Partial<PersistentVolumeClaim['metadata']> = { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'uid-p', controller: true }] }

test.each<[string, StorageCluster, Pod, string]>([
  ['nothing to count', { csiNodes: [csiNodeOf('n1', { d: 0 })] }, podOf('p', [{ name: 't', emptyDir: {} }]), 'skip'],
  ['an inline CSI volume is not attached', { csiNodes: [csiNodeOf('n1', { d: 0 })] }, podOf('p', [{ name: 't', csi: { driver: 'd' } }]), 'skip'],
  ['no CSINode', bound(1), wants, 'ok'],
  ['a driver without a limit', { ...bound(1), csiNodes: [csiNodeOf('n1', { d: undefined, e: 0 })] }, wants, 'ok'],
  ['the first volume of one', { ...bound(1), csiNodes: [csiNodeOf('n1', { d: 1 })] }, wants, 'ok'],
  ['no volumes at all', { ...bound(1), csiNodes: [csiNodeOf('n1', { d: 0 })] }, wants, full],
  ['one too many', { ...bound(2), csiNodes: [csiNodeOf('n1', { d: 1 })], pods: [podOf('o', [claimVolume('c1')], 'n1')] }, wants, full],
  ["another driver's volumes do not count", { ...bound(1), claims: [boundClaim('c0', 'pv0'), boundClaim('x', 'pvx')], volumes: [csi('pv0'), csi('pvx', 'e')], csiNodes: [csiNodeOf('n1', { d: 1, e: 1 })], pods: [podOf('o', [claimVolume('x')], 'n1')] }, wants, 'ok'],
  ['a volume that is there already', { ...bound(1), csiNodes: [csiNodeOf('n1', { d: 1 })], pods: [podOf('o', [claimVolume('c0')], 'n1')] }, wants, 'ok'],
  ['two pods share a volume', { ...bound(2), csiNodes: [csiNodeOf('n1', { d: 2 })], pods: [podOf('o', [claimVolume('c1')], 'n1'), podOf('q', [claimVolume('c1')], 'n1')] }, wants, 'ok'],
  ['a volume that is attached and not used', { ...bound(2), csiNodes: [csiNodeOf('n1', { d: 1 })], attachments: [attachment('pv1')] }, wants, full],
  ['a volume that is attached elsewhere', { ...bound(2), csiNodes: [csiNodeOf('n1', { d: 1 })], attachments: [attachment('pv1', 'n2')] }, wants, 'ok'],
  ['a volume that is attached and used counts once', { ...bound(2), csiNodes: [csiNodeOf('n1', { d: 2 })], pods: [podOf('o', [claimVolume('c1')], 'n1')], attachments: [attachment('pv1')] }, wants, 'ok'],
  ['two claims of one pod', { ...bound(2), csiNodes: [csiNodeOf('n1', { d: 1 })] }, podOf('p', [claimVolume('c0'), claimVolume('c1')]), full],
  ['a claim that is not bound counts for its class', { claims: [claimOf('c0', { storageClassName: 's' })], classes: [classOf('s', { provisioner: 'd' })], csiNodes: [csiNodeOf('n1', { d: 0 })] }, wants, full],
  ['a claim whose class is not there', { claims: [claimOf('c0', { storageClassName: 's' })], csiNodes: [csiNodeOf('n1', { d: 0 })] }, wants, 'ok'],
  ['a claim that is not there', { csiNodes: [csiNodeOf('n1', { d: 1 })] }, wants, 'UnschedulableAndUnresolvable: looking up PVC ns/c0: persistentvolumeclaim "c0" not found'],
  ['a claim of a running pod that is not there', { ...bound(1), csiNodes: [csiNodeOf('n1', { d: 1 })], pods: [podOf('o', [claimVolume('gone')], 'n1')] }, wants, 'ok'],
  ['an ephemeral claim of its own', { claims: [claimOf('p-e', { storageClassName: 's' }, owned)], classes: [classOf('s', { provisioner: 'd' })], csiNodes: [csiNodeOf('n1', { d: 0 })] }, podOf('p', [ephemeralVolume('e')]), full],
  ["an ephemeral claim of another's", { claims: [claimOf('p-e')], csiNodes: [csiNodeOf('n1', { d: 0 })] }, podOf('p', [ephemeralVolume('e')]), 'UnschedulableAndUnresolvable: PVC ns/p-e was not created for pod ns/p (pod is not owner)'],
  ['an in-tree disk is its driver\'s', { csiNodes: [csiNodeOf('n1', { 'ebs.csi.aws.com': 0 })] }, podOf('p', [ebs('vol-1')]), full],
  ['an in-tree disk and the same one under its full name', { csiNodes: [csiNodeOf('n1', { 'ebs.csi.aws.com': 1 })], pods: [podOf('o', [ebs('aws://a/vol-1')], 'n1')] }, podOf('p', [ebs('vol-1')]), 'ok'],
  ['an in-tree volume behind a claim', { claims: [boundClaim('c0', 'pv')], volumes: [volumeOf('pv', { gcePersistentDisk: { pdName: 'd' } })], csiNodes: [csiNodeOf('n1', { 'pd.csi.storage.gke.io': 0 })] }, wants, full],
  ['a Portworx volume where the node has not migrated', { csiNodes: [csiNodeOf('n1', { 'pxd.portworx.com': 0 })] }, podOf('p', [{ name: 'v', portworxVolume: { volumeID: 'x' } }]), 'ok'],
  ['a Portworx volume where it has', { csiNodes: [csiNodeOf('n1', { 'pxd.portworx.com': 0 }, { 'storage.alpha.kubernetes.io/migrated-plugins': 'kubernetes.io/portworx-volume' })] }, podOf('p', [{ name: 'v', portworxVolume: { volumeID: 'x' } }]), full],
])('NodeVolumeLimits: %s', (_, cluster, pod, expected) => {
  const cache = cacheOf(cluster)
  const found = verdicts(nodeVolumeLimits(contextOf(cache)), cache, pod)
  expect(typeof found === 'string' ? found : found['n1']).toBe(expected)
})

test.each<[string, boolean, boolean | undefined, StorageCluster['csiNodes'], string]>([
  ['a driver that is not on the node', true, true, [csiNodeOf('n1', { e: 1 })], 'Unschedulable: d CSI driver is not installed on the node'],
  ['no CSINode', true, true, [], 'Unschedulable: d CSI driver is not installed on the node'],
  ['a driver that is there', true, true, [csiNodeOf('n1', { d: undefined })], 'ok'],
  ['a driver that does not ask for it', true, undefined, [], 'ok'],
  ['the gate is off', false, true, [], 'ok'],
])('NodeVolumeLimits, preventPodSchedulingIfMissing: %s', (_, gate, prevent, csiNodes, expected) => {
  const cache = cacheOf({ ...bound(1), ...(csiNodes ? { csiNodes } : {}), drivers: [{ metadata: { name: 'd' }, spec: { ...(prevent === undefined ? {} : { preventPodSchedulingIfMissing: prevent }) } }] })
  expect(verdicts(nodeVolumeLimits(contextOf(cache, { gates: { VolumeLimitScaling: gate } })), cache, wants)).toEqual({ n1: expected })
})

test.each<[string, string, Pod, unknown, unknown, boolean | undefined]>([
  ['a driver can attach more', 'CSINodeUpdated', wants, csiNodeOf('n1', { d: 1 }), csiNodeOf('n1', { d: 2 }), true],
  ['a driver can attach less', 'CSINodeUpdated', wants, csiNodeOf('n1', { d: 2 }), csiNodeOf('n1', { d: 1 }), false],
  ['a pod with a claim goes', 'AssignedPodDeleted', wants, podOf('o', [claimVolume('x')], 'n1'), undefined, true],
  ['a pod without volumes goes', 'AssignedPodDeleted', wants, podOf('o', [], 'n1'), undefined, false],
  ['its claim comes', 'PersistentVolumeClaimAdded', wants, undefined, claimOf('c0'), true],
  ['another claim comes', 'PersistentVolumeClaimAdded', wants, undefined, claimOf('c9'), false],
  ['a volume is detached', 'VolumeAttachmentDeleted', wants, attachment('pv'), undefined, true],
  ["its inline disk's driver detaches one", 'VolumeAttachmentDeleted', podOf('p', [ebs('v')]), attachment('pv', 'n1', 'ebs.csi.aws.com'), undefined, true],
  ["another driver detaches one", 'VolumeAttachmentDeleted', podOf('p', [ebs('v')]), attachment('pv'), undefined, false],
])('NodeVolumeLimits, %s: does it help?', (_, event, pod, old, now, helps) => {
  expect(hint(nodeVolumeLimits(contextOf(cacheOf({}))), event, pod, old, now)).toBe(helps)
})
