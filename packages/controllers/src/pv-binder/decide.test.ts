import { expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { StorageClass } from '@berth/api/types/storage/v1'
import { decideClaim, type World } from './decide-claim.ts'
import { decideVolume, reclaimFailure, unbound } from './decide-volume.ts'
import { defaultStorageClass } from '@berth/pod-rules'
import { nextStatus } from './write.ts'

const done = { 'pv.kubernetes.io/bind-completed': 'yes' }
const byController = { 'pv.kubernetes.io/bound-by-controller': 'yes' }
const claimOf = (spec: Partial<PersistentVolumeClaim['spec']> = {}, annotations: Record<string, string> = {}): PersistentVolumeClaim => ({
  metadata: { name: 'c', namespace: 'ns', uid: 'u', annotations }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } }, storageClassName: 's', ...spec }, status: { phase: 'Pending' },
})
const volumeOf = (name: string, spec: Partial<PersistentVolume['spec']> = {}, metadata: Partial<PersistentVolume['metadata']> = {}): PersistentVolume => ({
  metadata: { name, ...metadata }, spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '10Gi' }, storageClassName: 's', persistentVolumeReclaimPolicy: 'Retain', ...spec }, status: { phase: 'Available' },
})
const mine = { name: 'c', namespace: 'ns', uid: 'u' }
const other = { name: 'd', namespace: 'ns', uid: 'v' }
const classOf = (more: Partial<StorageClass> = {}): StorageClass => ({ metadata: { name: 's' }, provisioner: 'x.example.com', volumeBindingMode: 'Immediate', ...more })
const late = classOf({ volumeBindingMode: 'WaitForFirstConsumer' })

function worldOf(volumes: readonly PersistentVolume[], classes: readonly StorageClass[] = [], pods: readonly string[] = []): World {
  return { volumes: () => volumes, volume: (name) => volumes.find((v) => v.metadata.name === name), classes: () => classes, class: (name) => classes.find((c) => c.metadata.name === name), unscheduledPods: () => pods }
}

const pending = (reason?: string, message?: string, type = 'Normal'): unknown => ({ do: 'phase', phase: 'Pending', ...(reason === undefined ? {} : { note: { type, reason, message } }) })
const lost = (reason: string, message: string): unknown => ({ do: 'phase', phase: 'Lost', note: { type: 'Warning', reason, message } })
const mismatch = (why: string): unknown => pending('VolumeMismatch', `Cannot bind to requested volume "pv": ${why}`, 'Warning')
const pv = volumeOf('pv')
const selected = { 'volume.kubernetes.io/selected-node': 'n1' }
const waiting = "Waiting for a volume to be created either by the external provisioner 'x.example.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."

test.each<[string, PersistentVolumeClaim, World, unknown]>([
  ['a volume that fits', claimOf(), worldOf([pv], [classOf()]), { do: 'bind', volume: pv }],
  ['no class and no volume', claimOf({ storageClassName: '' }), worldOf([]), pending('FailedBinding', 'no persistent volumes available for this claim and no storage class is set')],
  ['a class that is not there', claimOf(), worldOf([]), { do: 'note', note: { type: 'Warning', reason: 'ProvisioningFailed', message: 'storageclass.storage.k8s.io "s" not found' } }],
  ['a class whose volumes are made by hand', claimOf(), worldOf([], [classOf({ provisioner: 'kubernetes.io/no-provisioner' })]), { do: 'note', note: { type: 'Warning', reason: 'ProvisioningFailed', message: 'no volume plugin matched name: kubernetes.io/no-provisioner' } }],
  ['a class with a provisioner', claimOf(), worldOf([], [classOf()]), { do: 'provision', provisioner: 'x.example.com', note: { type: 'Normal', reason: 'ExternalProvisioning', message: waiting } }],
  ['a late class, and no pod', claimOf(), worldOf([pv], [late]), pending('WaitForFirstConsumer', 'waiting for first consumer to be created before binding')],
  ['a late class, and a pod without a node', claimOf(), worldOf([], [late], ['p']), pending('WaitForPodScheduled', 'waiting for pod p to be scheduled')],
  ['a late class, and two pods', claimOf(), worldOf([], [late], ['p', 'q']), pending('WaitForPodScheduled', 'waiting for pods p,q to be scheduled')],
  ['a late class, and a node that the scheduler chose', claimOf({}, selected), worldOf([pv], [late]), { do: 'provision', provisioner: 'x.example.com', note: { type: 'Normal', reason: 'ExternalProvisioning', message: waiting } }],
  ['a late class, and a volume that the scheduler chose', claimOf(), worldOf([volumeOf('pv', { claimRef: mine })], [late]), { do: 'bind', volume: volumeOf('pv', { claimRef: mine }) }],
  ['no word of a class, and a default one', claimOf({ storageClassName: undefined } as never), worldOf([], [classOf({ metadata: { name: 'd', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })]), { do: 'assign-class', className: 'd' }],
  ['the word that there is no class, and a default one', claimOf({ storageClassName: '' }), worldOf([], [classOf({ metadata: { name: 'd', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })]), pending('FailedBinding', 'no persistent volumes available for this claim and no storage class is set')],
  ['a volume for one reader goes before a smaller one for many', claimOf(), worldOf([volumeOf('many', { accessModes: ['ReadWriteOnce', 'ReadWriteMany'], capacity: { storage: '5Gi' } }), pv], [classOf()]), { do: 'bind', volume: pv }],
  ['the named volume', claimOf({ volumeName: 'pv' }), worldOf([pv]), { do: 'bind', volume: pv }],
  ['the named volume of a late class', claimOf({ volumeName: 'pv' }), worldOf([pv], [late]), { do: 'bind', volume: pv }],
  ['the named volume is not there', claimOf({ volumeName: 'pv' }), worldOf([]), pending()],
  ['the named volume is too small', claimOf({ volumeName: 'pv' }), worldOf([volumeOf('pv', { capacity: { storage: '1Gi' } })]), mismatch('requested PV is too small')],
  ['the named volume is of another class', claimOf({ volumeName: 'pv' }), worldOf([volumeOf('pv', { storageClassName: 't' })]), mismatch('storageClassName does not match')],
  ['the named volume is a block device', claimOf({ volumeName: 'pv' }), worldOf([volumeOf('pv', { volumeMode: 'Block' })]), mismatch('incompatible volumeMode')],
  ['the named volume cannot be read by many', claimOf({ volumeName: 'pv', accessModes: ['ReadOnlyMany'] }), worldOf([pv]), mismatch('incompatible accessMode')],
  ['the named volume has other attributes', claimOf({ volumeName: 'pv', volumeAttributesClassName: 'gold' }), worldOf([pv]), mismatch('volumeAttributesClassName does not match')],
  ['the named volume goes', claimOf({ volumeName: 'pv' }), worldOf([volumeOf('pv', {}, { deletionTimestamp: 'now' })]), mismatch('the volume is marked for deletion "pv"')],
  ['the named volume is kept for it, whatever its class', claimOf({ volumeName: 'pv' }), worldOf([volumeOf('pv', { storageClassName: 't', claimRef: { name: 'c', namespace: 'ns' } })]), { do: 'bind', volume: volumeOf('pv', { storageClassName: 't', claimRef: { name: 'c', namespace: 'ns' } }) }],
  ["the named volume is another's", claimOf({ volumeName: 'pv' }), worldOf([volumeOf('pv', { claimRef: other })]), pending('FailedBinding', 'volume "pv" already bound to a different claim.', 'Warning')],
  ["the volume that we chose is another's", claimOf({ volumeName: 'pv' }, byController), worldOf([volumeOf('pv', { claimRef: other })]),
    { do: 'fail', note: { type: 'Warning', reason: 'FailedBinding', message: 'volume "pv" already bound to a different claim.' }, error: 'invalid binding of claim "ns/c" to volume "pv": volume already claimed by "ns/d"' }],
  ['bound, and all is well', claimOf({ volumeName: 'pv' }, done), worldOf([volumeOf('pv', { claimRef: mine })]), { do: 'bind', volume: volumeOf('pv', { claimRef: mine }) }],
  ['bound, and the volume has forgotten', claimOf({ volumeName: 'pv' }, done), worldOf([pv]), { do: 'bind', volume: pv }],
  ['bound, and the claim has forgotten', claimOf({}, done), worldOf([pv]), lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')],
  ['bound, and the volume has gone', claimOf({ volumeName: 'pv' }, done), worldOf([]), lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')],
  ["bound, and the volume is another's", claimOf({ volumeName: 'pv' }, done), worldOf([volumeOf('pv', { claimRef: other })]), lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')],
])('a claim: %s', (_, claim, world, step) => {
  expect(decideClaim(claim, world)).toEqual(step)
})

test.each<[string, PersistentVolume, PersistentVolumeClaim | undefined, unknown]>([
  ['free', pv, undefined, { do: 'phase', phase: 'Available' }],
  ['kept for a claim that has not come', volumeOf('pv', { claimRef: { name: 'c', namespace: 'ns' } }), undefined, { do: 'phase', phase: 'Available' }],
  ['its claim has gone', volumeOf('pv', { claimRef: mine }), undefined, { do: 'reclaim' }],
  ['its claim does not know yet', volumeOf('pv', { claimRef: mine }), claimOf(), { do: 'sync-claim' }],
  ['its claim wants a block device', volumeOf('pv', { claimRef: mine }), claimOf({ volumeMode: 'Block' }), {
    do: 'mismatch', onVolume: { type: 'Warning', reason: 'VolumeMismatch', message: 'Cannot bind PersistentVolume to requested PersistentVolumeClaim "c" due to incompatible volumeMode.' },
    onClaim: { type: 'Warning', reason: 'VolumeMismatch', message: 'Cannot bind PersistentVolume "pv" to requested PersistentVolumeClaim due to incompatible volumeMode.' },
  }],
  ['its claim is bound to it', volumeOf('pv', { claimRef: mine }), claimOf({ volumeName: 'pv' }), { do: 'phase', phase: 'Bound' }],
  ['its claim has another one', volumeOf('pv', { claimRef: mine }), claimOf({ volumeName: 'q' }), { do: 'unbind' }],
  ['its claim has another one, and it was made for it', volumeOf('pv', { claimRef: mine, persistentVolumeReclaimPolicy: 'Delete' }, { annotations: { 'pv.kubernetes.io/provisioned-by': 'x' } }), claimOf({ volumeName: 'q' }), { do: 'reclaim' }],
])('a volume: %s', (_, volume, claim, step) => {
  expect(decideVolume(volume, claim)).toEqual(step)
})

test.each<[string, PersistentVolume, string | undefined]>([
  ['Retain: nothing', pv, undefined],
  ['Delete: its provisioner', volumeOf('pv', { persistentVolumeReclaimPolicy: 'Delete' }, { annotations: { 'pv.kubernetes.io/provisioned-by': 'x.example.com' } }), undefined],
  ['Delete, made by hand', volumeOf('pv', { persistentVolumeReclaimPolicy: 'Delete' }), 'VolumeFailedDelete: error getting deleter volume plugin for volume "pv": no deletable volume plugin matched'],
  ['Recycle', volumeOf('pv', { persistentVolumeReclaimPolicy: 'Recycle' }), 'VolumeFailedRecycle: No recycler plugin found for the volume!'],
])('a volume without its claim, %s', (_, volume, failure) => {
  const note = reclaimFailure(volume)
  expect(note && `${note.reason}: ${note.message}`).toBe(failure)
})

test('taking a binding back leaves what the user wrote', () => {
  expect(unbound(volumeOf('pv', { claimRef: mine }, { annotations: { ...byController, keep: 'me' } }))).toEqual(volumeOf('pv', {}, { annotations: { keep: 'me' } }))
  expect(unbound(volumeOf('pv', { claimRef: mine })).spec.claimRef).toEqual({ name: 'c', namespace: 'ns' })
})

test('of two default classes the younger one counts', () => {
  const marked = (name: string, creationTimestamp: string): StorageClass => classOf({ metadata: { name, creationTimestamp, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })
  const plain = classOf({ metadata: { name: 'z', creationTimestamp: '2026-02-01T00:00:00Z', annotations: { 'storageclass.kubernetes.io/is-default-class': 'false' } } })
  expect(defaultStorageClass([plain, marked('a', '2026-01-01T00:00:00Z'), marked('c', '2026-01-02T00:00:00Z'), marked('b', '2026-01-02T00:00:00Z')])?.metadata.name).toBe('b')
})

test("a claim's capacity is its volume's when it is bound, and not taken over again", () => {
  const first = nextStatus(claimOf(), 'Bound', pv)
  expect(first).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '10Gi' } })
  const claim = { ...claimOf(), status: { ...first, capacity: { storage: '8Gi' } } }
  expect(nextStatus(claim, 'Bound', pv)).toBe(claim.status)
  expect(nextStatus(claim, 'Lost', undefined)).toEqual({ phase: 'Lost' })
})
