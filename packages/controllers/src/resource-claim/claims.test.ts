import { expect, test } from 'vitest'
import type { Pod, PodResourceClaim } from '@berth/api/types/core/v1'
import type { ResourceClaim } from '@berth/api/types/resource/v1'
import { claimFor, deleteProtection, generatedName, isPodDone, needsWork, withUsers } from './claims.ts'

const long = 'x'.repeat(60)
test.each([
  ['web', 'gpu', 'web-gpu-'],
  [long, 'gpu', `${'x'.repeat(52)}-gp`],
  ['web', long, `we-${'x'.repeat(52)}`],
  [long, long, `${'x'.repeat(28)}-${'x'.repeat(28)}`],
])('the claim of pod %s and entry %s is called %s…', (pod, entry, expected) => {
  expect(generatedName(pod, entry)).toBe(expected)
  expect(generatedName(pod, entry).length).toBeLessThanOrEqual(58)
})

const pod = (claims: readonly PodResourceClaim[], more: Partial<Pod['status']> & { nodeName?: string; deletionTimestamp?: string } = {}): Pod => {
  const { nodeName, deletionTimestamp, ...status } = more
  return {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
    spec: { containers: [], resourceClaims: [...claims], ...(nodeName === undefined ? {} : { nodeName }) }, status,
  }
}
const own: PodResourceClaim = { name: 'gpu', resourceClaimTemplateName: 't' }
const owner = (uid: string) => [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true }]
const claim = (more: Partial<ResourceClaim['metadata']> = {}, status: ResourceClaim['status'] = {}): ResourceClaim => ({ metadata: { name: 'c', namespace: 'ns', uid: 'cu', ...more }, spec: {}, status })
const known = { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'c' }] }

test.each<[string, Pod, ResourceClaim | undefined, boolean]>([
  ['a template without a claim', pod([own]), undefined, true],
  ['a claim that is in the status and gone', pod([own], known), undefined, true],
  ['a claim that is there', pod([own], known), claim({ ownerReferences: owner('u') }), false],
  ['a claim of another pod of that name', pod([own], known), claim({ ownerReferences: owner('other') }), false],
  ['a claim that is not needed', pod([own], { resourceClaimStatuses: [{ name: 'gpu' }] }), undefined, false],
  ['a claim that the user has yet to make', pod([{ name: 'gpu', resourceClaimName: 'c' }]), undefined, false],
  ['a pod that got its node past the scheduler', pod([{ name: 'gpu', resourceClaimName: 'c' }], { nodeName: 'n' }), claim({}, { allocation: {} }), true],
  ['the same, reserved', pod([{ name: 'gpu', resourceClaimName: 'c' }], { nodeName: 'n' }), claim({}, { allocation: {}, reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] }), false],
  ['a pod that is being deleted', pod([own], { deletionTimestamp: '2026-01-01T00:00:00Z' }), undefined, false],
])('%s: is there work?', (_, of, found, expected) => {
  expect(needsWork(of, () => found)).toBe(expected)
})

test.each<[string, Pod, boolean]>([
  ['runs', pod([], { phase: 'Running' }), false],
  ['has succeeded', pod([], { phase: 'Succeeded' }), true],
  ['has failed', pod([], { phase: 'Failed' }), true],
  ['is being deleted on its node', pod([], { deletionTimestamp: 'x', nodeName: 'n' }), false],
  ['was deleted before it had a node', pod([], { deletionTimestamp: 'x' }), true],
])('a pod that %s', (_, of, expected) => {
  expect(isPodDone(of)).toBe(expected)
})

test('a claim has the metadata and spec of its template, and belongs to the pod', () => {
  const template = { metadata: { name: 't' }, spec: { metadata: { name: '', labels: { a: 'b' }, annotations: { c: 'd' } }, spec: { devices: { requests: [] } } } }
  expect(claimFor(pod([own]), own, template)).toEqual({
    metadata: {
      name: '', generateName: 'p-gpu-', namespace: 'ns', labels: { a: 'b' }, annotations: { 'c': 'd', 'resource.kubernetes.io/pod-claim-name': 'gpu' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true, blockOwnerDeletion: false }],
    },
    spec: { devices: { requests: [] } },
  })
})

test('a claim loses its devices with its last user, and keeps them while there is another', () => {
  const used = claim({ finalizers: [deleteProtection] }, { allocation: {}, reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] })
  expect(withUsers(used, []).status).toEqual({})
  expect(withUsers(used, [{ resource: 'pods', name: 'q', uid: 'v' }]).status).toEqual({ allocation: {}, reservedFor: [{ resource: 'pods', name: 'q', uid: 'v' }] })
})
