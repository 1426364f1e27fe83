import { expect, test } from 'vitest'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { CSIDriver, VolumeAttachment } from '@berth/api/types/storage/v1'
import { attachmentName, planNode, uniqueVolumeName, wantedOn, type World } from './plan.ts'

const now = 1_000_000
const pod = (name: string, nodeName: string, more: { claim?: string; phase?: 'Running' | 'Succeeded'; namespace?: string } = {}): Pod => ({
  metadata: { name, namespace: more.namespace ?? 'ns' }, spec: { nodeName, containers: [], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: more.claim ?? 'c' } }] }, status: { phase: more.phase ?? 'Running' },
})
const claim = (more: Partial<PersistentVolumeClaim['spec']> = {}, bound = true): PersistentVolumeClaim => ({
  metadata: { name: 'c', namespace: 'ns', uid: 'u', annotations: bound ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {} }, spec: { volumeName: 'pv', ...more },
})
const volume = (spec: Partial<PersistentVolume['spec']> = {}): PersistentVolume => ({
  metadata: { name: 'pv' }, spec: { accessModes: ['ReadWriteOnce'], csi: { driver: 'd', volumeHandle: 'h' }, claimRef: { name: 'c', namespace: 'ns', uid: 'u' }, ...spec },
})
const node = (name: string, more: { managed?: boolean; inUse?: string[]; attached?: string[]; ready?: boolean; taints?: string[] } = {}): Node => ({
  metadata: { name, annotations: more.managed === false ? {} : { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' } },
  spec: { taints: (more.taints ?? []).map((key) => ({ key, effect: 'NoExecute' as const })) },
  status: { conditions: [{ type: 'Ready', status: more.ready === false ? 'Unknown' : 'True' }], ...(more.inUse ? { volumesInUse: more.inUse } : {}), ...(more.attached ? { volumesAttached: more.attached.map((each) => ({ name: each, devicePath: '' })) } : {}) },
})
const attachment = (nodeName: string, attached = true, more: Partial<VolumeAttachment['metadata']> = {}): VolumeAttachment => ({
  metadata: { name: attachmentName('d', 'h', nodeName), ...more }, spec: { attacher: 'd', nodeName, source: { persistentVolumeName: 'pv' } }, status: { attached },
})
const worldOf = (given: { pods?: Pod[]; claim?: PersistentVolumeClaim; volume?: PersistentVolume; driver?: CSIDriver; attachments?: VolumeAttachment[] }): World => ({
  claim: (_namespace, name) => (name === 'c' ? given.claim ?? claim() : undefined),
  volume: (name) => (name === 'pv' ? given.volume ?? volume() : undefined),
  driver: () => given.driver,
  attachments: () => given.attachments ?? [],
  podsOn: (name) => (given.pods ?? []).filter((each) => each.spec.nodeName === name),
})
const unique = uniqueVolumeName('d', 'h')
const plan = (world: World, on: Node | undefined = node('n1'), since = new Map<string, number>()): ReturnType<typeof planNode> => planNode('n1', on, world, since, now)

test('an attachment is named as the CSI volume plugin names it', () => {
  // sha256 of handle, driver and node: hdn1.
  expect(attachmentName('d', 'h', 'n1')).toBe('csi-8e3bb36fda804646cae96ea9b03b4b77d9b692e45ea0ddda23cccc30a6b1c3fe')
})

test.each<[string, World, number]>([
  ['a running pod with a bound claim', worldOf({ pods: [pod('p', 'n1')] }), 1],
  ['two pods with one claim', worldOf({ pods: [pod('p', 'n1'), pod('q', 'n1')] }), 1],
  ['a pod that is over', worldOf({ pods: [pod('p', 'n1', { phase: 'Succeeded' })] }), 0],
  ['a claim that is not bound', worldOf({ pods: [pod('p', 'n1')], claim: claim({}, false) }), 0],
  ["a volume that is another claim's", worldOf({ pods: [pod('p', 'n1')], volume: volume({ claimRef: { uid: 'other' } }) }), 0],
  ['a driver that does not attach', worldOf({ pods: [pod('p', 'n1')], driver: { metadata: { name: 'd' }, spec: { attachRequired: false } } }), 0],
  ['a volume of no driver', worldOf({ pods: [pod('p', 'n1')], volume: { metadata: { name: 'pv' }, spec: { local: { path: '/x' }, claimRef: { uid: 'u' } } } }), 0],
])('%s: how many volumes are wanted', (_, world, count) => {
  expect(wantedOn('n1', world)).toHaveLength(count)
})

test('what is wanted and not there is attached', () => {
  expect(plan(worldOf({ pods: [pod('p', 'n1')] }))).toEqual({ attach: [{ metadata: { name: attachmentName('d', 'h', 'n1') }, spec: { attacher: 'd', nodeName: 'n1', source: { persistentVolumeName: 'pv' } } }], refused: [], detach: [] })
})

test('what is attached is told in the status of the node, and not before', () => {
  expect(plan(worldOf({ pods: [pod('p', 'n1')], attachments: [attachment('n1', false)] }))).toEqual({ attach: [], refused: [], detach: [] })
  expect(plan(worldOf({ pods: [pod('p', 'n1')], attachments: [attachment('n1')] })).attached).toEqual([{ name: unique, devicePath: '' }])
  expect(plan(worldOf({ pods: [pod('p', 'n1')], attachments: [attachment('n1')] }), node('n1', { attached: [unique] }))).toEqual({ attach: [], refused: [], detach: [] })
})

test('a node that attaches its volumes itself is left alone', () => {
  expect(plan(worldOf({ pods: [pod('p', 'n1')] }), node('n1', { managed: false }))).toEqual({ attach: [], refused: [], detach: [] })
})

test('what nobody wants is detached once the node does not use it, and the status of the node says so first', () => {
  const world = worldOf({ attachments: [attachment('n1')] })
  expect(plan(world, node('n1', { attached: [unique] }))).toEqual({ attach: [], refused: [], detach: [attachmentName('d', 'h', 'n1')], attached: [] })
})

test.each<[string, Parameters<typeof node>[1], number, boolean, number, number | undefined]>([
  ['a healthy node, however long', {}, 9_999_000, true, 0, undefined],
  ['a node that is not ready, before its time', { ready: false }, 359_000, true, 0, 1000],
  ['a node that is not ready, after six minutes', { ready: false }, 360_000, true, 1, undefined],
  ['a node that is not ready, where nothing is forced', { ready: false }, 9_999_000, false, 0, undefined],
  ['a node that is out of service', { ready: false, taints: ['node.kubernetes.io/out-of-service'] }, 0, false, 1, undefined],
])('what is still mounted on %s', (_, more, waitedMs, forces, detached, againMs) => {
  const since = new Map([[attachmentName('d', 'h', 'n1'), now - waitedMs]])
  const found = planNode('n1', node('n1', { attached: [unique], inUse: [unique], ...more }), worldOf({ attachments: [attachment('n1')] }), since, now, forces)
  expect([found.detach.length, found.againMs]).toEqual([detached, againMs])
})

test('of a node that is gone everything is detached', () => {
  expect(planNode('n1', undefined, worldOf({ pods: [pod('p', 'n1')], attachments: [attachment('n1')] }), new Map(), now)).toEqual({ attach: [], refused: [], detach: [attachmentName('d', 'h', 'n1')] })
})

test("attachments that others have made, or that are going, are left alone", () => {
  expect(plan(worldOf({ attachments: [attachment('n1', true, { name: 'by-hand' })] })).detach).toEqual([])
  expect(plan(worldOf({ attachments: [attachment('n1', true, { deletionTimestamp: 'now' })] })).detach).toEqual([])
})

test.each<[string, Pod[], PersistentVolume | undefined, string | undefined]>([
  ['that is attached elsewhere for nobody', [], undefined, `Multi-Attach error for volume "pv" Volume is already exclusively attached to one node and can't be attached to another`],
  ['that is used elsewhere', [pod('q', 'n2')], undefined, 'Multi-Attach error for volume "pv" Volume is already used by pod(s) q'],
  ['that many nodes may have', [pod('q', 'n2')], volume({ accessModes: ['ReadWriteMany'] }), undefined],
])('a volume %s', (_, others, given, why) => {
  const { attach, refused } = plan(worldOf({ pods: [pod('p', 'n1'), ...others], attachments: [attachment('n2')], ...(given ? { volume: given } : {}) }))
  expect([refused[0]?.why, attach.length]).toEqual([why, why === undefined ? 1 : 0])
})
