import type { PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { classesOfClaim, classesOfVolume, podHoldsClaim, protectedFinalizers } from './in-use.ts'

const finalizer = 'kubernetes.io/pvc-protection'
test.each<[string, string[], boolean, boolean, string[] | undefined]>([
  ['lives and is not protected', ['x'], false, false, ['x', finalizer]],
  ['lives and is protected', [finalizer], false, true, undefined],
  ['goes and is used', [finalizer], true, true, undefined],
  ['goes and is not used', ['x', finalizer], true, false, ['x']],
  ['goes and was let go', ['x'], true, false, undefined],
])('what %s', (_, finalizers, going, inUse, wanted) => {
  expect(protectedFinalizers({ metadata: { name: 'o', finalizers, ...(going ? { deletionTimestamp: 't' } : {}) } }, finalizer, () => inUse)).toEqual(wanted)
})

const claim: PersistentVolumeClaim = { metadata: { name: 'p-v', namespace: 'a', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '1', controller: true }] }, spec: {} }
const pod = (volume: object, more: { namespace?: string; nodeName?: string; uid?: string } = {}): Pod => ({
  metadata: { name: 'p', namespace: more.namespace ?? 'a', uid: more.uid ?? '1' }, spec: { containers: [], nodeName: more.nodeName ?? 'n', volumes: [{ name: 'v', ...volume }] },
})
test.each<[string, Pod, boolean]>([
  ['names it', pod({ persistentVolumeClaim: { claimName: 'p-v' } }), true],
  ['names another', pod({ persistentVolumeClaim: { claimName: 'other' } }), false],
  ['names it in another namespace', pod({ persistentVolumeClaim: { claimName: 'p-v' } }, { namespace: 'b' }), false],
  ['names it and has no node', pod({ persistentVolumeClaim: { claimName: 'p-v' } }, { nodeName: '' }), false],
  ['has it as its own', pod({ ephemeral: {} }), true],
  ['would have it as its own, and it is another’s', pod({ ephemeral: {} }, { uid: '2' }), false],
])('whether a pod holds a claim that %s', (_, holder, wanted) => {
  expect(podHoldsClaim(holder, claim)).toBe(wanted)
})

test('attribute classes are used by what has them, is to have them, and is being given them', () => {
  expect(classesOfClaim({ ...claim, spec: { volumeAttributesClassName: 'gold' }, status: { currentVolumeAttributesClassName: 'silver', modifyVolumeStatus: { targetVolumeAttributesClassName: 'gold', status: 'InProgress' } } })).toEqual(['gold', 'silver'])
  expect([classesOfClaim(claim), classesOfVolume({ metadata: { name: 'v' }, spec: { volumeAttributesClassName: 'gold' } }), classesOfVolume({ metadata: { name: 'v' }, spec: {} })]).toEqual([[], ['gold'], []])
})
