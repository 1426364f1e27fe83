import { expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { directoryOf, isAsked, planReclaim, planVolume, type LocalNode } from './plan.ts'

const node: LocalNode = { name: 'n1', hostname: 'host-1', directory: '/data/storage' }
const asked = { 'volume.kubernetes.io/storage-provisioner': 'berth.dev/local-path', 'volume.kubernetes.io/selected-node': 'n1' }
const claim = (spec: Partial<PersistentVolumeClaim['spec']> = {}, metadata: Partial<PersistentVolumeClaim['metadata']> = {}): PersistentVolumeClaim => ({
  metadata: { name: 'c', namespace: 'ns', uid: 'u', annotations: asked, ...metadata },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'local-path', ...spec },
})
const storageClass = { metadata: { name: 'local-path' }, provisioner: 'berth.dev/local-path' }

test.each<[string, PersistentVolumeClaim, boolean]>([
  ['named and placed here', claim(), true],
  ['placed elsewhere', claim({}, { annotations: { ...asked, 'volume.kubernetes.io/selected-node': 'n2' } }), false],
  ['not placed yet', claim({}, { annotations: { 'volume.kubernetes.io/storage-provisioner': 'berth.dev/local-path' } }), false],
  ["another provisioner's", claim({}, { annotations: { ...asked, 'volume.kubernetes.io/storage-provisioner': 'x' } }), false],
  ['going', claim({}, { deletionTimestamp: 'now' }), false],
  ['bound', claim({ volumeName: 'pv' }), false],
])('a claim that is %s', (_, given, is) => {
  expect(isAsked(given, node)).toBe(is)
})

test('a volume is a directory of the node, kept for the claim and for the node alone', () => {
  expect(planVolume(claim(), { ...storageClass, mountOptions: ['ro'] }, node)).toEqual({ volume: {
    metadata: { name: 'pvc-u', annotations: { 'pv.kubernetes.io/provisioned-by': 'berth.dev/local-path' }, finalizers: ['external-provisioner.volume.kubernetes.io/finalizer'] },
    spec: {
      accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace: 'ns', name: 'c', uid: 'u' },
      persistentVolumeReclaimPolicy: 'Delete', storageClassName: 'local-path', volumeMode: 'Filesystem', local: { path: '/data/storage/pvc-u_ns_c' }, mountOptions: ['ro'],
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host-1'] }] }] } },
    },
  } })
})

test.each<[string, Partial<PersistentVolumeClaim['spec']>, string]>([
  ['readers elsewhere', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }, 'only ReadWriteOnce and ReadWriteOncePod access modes are supported: the directory is on one node'],
  ['a block device', { volumeMode: 'Block' }, 'a directory cannot be a block volume'],
  ['a choice of volumes', { selector: {} }, 'claim.Spec.Selector is not supported'],
  ['a copy', { dataSource: { kind: 'PersistentVolumeClaim', name: 'd' } }, 'volumes that begin with the content of another are not supported'],
])('a claim for %s is refused', (_, spec, refused) => {
  expect(planVolume(claim(spec), storageClass, node)).toEqual({ refused })
})

const planned = planVolume(claim(), storageClass, node)
const volume = (change: (volume: PersistentVolume) => PersistentVolume = (v) => v): PersistentVolume => {
  if (!('volume' in planned)) throw new Error(planned.refused)
  return change(planned.volume)
}

test.each<[string, PersistentVolume, string | undefined]>([
  ['ours', volume(), '/data/storage/pvc-u_ns_c'],
  ["another node's", volume((v) => ({ ...v, spec: { ...v.spec, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host-2'] }] }] } } } })), undefined],
  ["somebody else's", volume((v) => ({ ...v, metadata: { name: 'x' } })), undefined],
  ['a path that leads out', volume((v) => ({ ...v, spec: { ...v.spec, local: { path: '/data/storage/../../etc' } } })), undefined],
  ['our directory itself', volume((v) => ({ ...v, spec: { ...v.spec, local: { path: '/data/storage/.' } } })), undefined],
  ['a path below a volume', volume((v) => ({ ...v, spec: { ...v.spec, local: { path: '/data/storage/pvc-u/pvc-v' } } })), undefined],
])('the directory that may be removed: %s', (_, given, at) => {
  expect(directoryOf(given, node)).toBe(at)
})

test.each<[string, PersistentVolume, ReturnType<typeof planReclaim>]>([
  ['in use', volume((v) => ({ ...v, status: { phase: 'Bound' } })), undefined],
  ['released', volume((v) => ({ ...v, status: { phase: 'Released' } })), 'delete'],
  ['released, and to be kept', volume((v) => ({ ...v, metadata: { name: 'x' }, spec: { ...v.spec, persistentVolumeReclaimPolicy: 'Retain' }, status: { phase: 'Released' } })), undefined],
  ['to be kept from now on', volume((v) => ({ ...v, spec: { ...v.spec, persistentVolumeReclaimPolicy: 'Retain' }, status: { phase: 'Bound' } })), 'let-go'],
  ['deleted while in use', volume((v) => ({ ...v, metadata: { ...v.metadata, deletionTimestamp: 'now' }, status: { phase: 'Bound' } })), undefined],
  ['deleted', volume((v) => ({ ...v, metadata: { ...v.metadata, deletionTimestamp: 'now' }, status: { phase: 'Released' } })), 'delete'],
])('a volume that is %s', (_, given, step) => {
  expect(planReclaim(given)).toBe(step)
})
