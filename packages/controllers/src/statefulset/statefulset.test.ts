import type { StatefulSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { claimsOf, isMember, podFor } from './identity.ts'
import { planSteps, statefulSetStatus, type Step } from './plan.ts'
import { claimOwners, hasConflictingController, isStaleClaim } from './retention.ts'

const now = Date.parse('2026-01-01T12:00:00Z')
function statefulSet(spec: Partial<StatefulSet['spec']> = {}): StatefulSet {
  return { metadata: { name: 's', namespace: 'x', uid: 'u' }, spec: { replicas: 3, selector: { matchLabels: { a: 'b' } }, template: { spec: { containers: [] } }, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }, ...spec } }
}
/** `0 new ready`: ordinal 0 of the present template; `old`, `Failed`, `going` as they read. */
function pod(text: string): Pod {
  const [ordinal, ...facts] = text.split(' ')
  return {
    metadata: { name: `s-${ordinal}`, namespace: 'x', uid: `p${ordinal}`, labels: { 'controller-revision-hash': facts.includes('new') ? 'new' : 'old' }, ...(facts.includes('going') ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { containers: [] },
    status: { phase: facts.includes('Failed') ? 'Failed' : 'Running', conditions: [{ type: 'Ready', status: facts.includes('ready') ? 'True' : 'False' }] },
  }
}
const view = (set: StatefulSet, pods: string[], severalAtOnce = false) => ({ severalAtOnce, set, pods: pods.map(pod), currentRevision: 'old', updateRevision: 'new', now })
const words = (steps: Step[]): string[] => steps.flatMap((step) => step.kind === 'repair' ? [] : step.kind === 'create' ? [`create ${step.ordinal}${step.current ? ' old' : ''}`] : [`delete ${step.pod.metadata.name} ${step.why}`])

test.each([
  ['the first one first', {}, [], ['create 0']],
  ['the next when the one before is ready', {}, ['0 new ready'], ['create 1']],
  ['none while one is not ready', {}, ['0 new'], []],
  ['all at once in parallel', { podManagementPolicy: 'Parallel' }, ['1 new'], ['create 0', 'create 2']],
  ['from its first ordinal', { ordinals: { start: 4 } }, ['4 new ready'], ['create 5']],
  ['the old template below the partition', { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } }, ['0 old ready', '2 new ready'], ['create 1 old']],
  ['a failed one is deleted first', {}, ['0 Failed', '1 new ready', '2 new ready'], ['delete s-0 over']],
  ['from the highest down', { replicas: 1 }, ['0 new ready', '1 new ready', '2 new ready'], ['delete s-2 scale']],
  ['not while one is going', { replicas: 1 }, ['0 new ready', '1 new ready', '2 new going'], []],
  ['not above one that is not ready', { replicas: 1 }, ['0 new ready', '1 new', '2 new ready', '3 new'], []],
  ['that which alone is not ready', { replicas: 1 }, ['0 new ready', '1 new ready', '2 new'], ['delete s-2 scale']],
  ['all that are too many, in parallel', { replicas: 1, podManagementPolicy: 'Parallel' }, ['0 new ready', '1 new', '2 new ready'], ['delete s-2 scale', 'delete s-1 scale']],
  ['an update, one from the top', {}, ['0 old ready', '1 old ready', '2 old ready'], ['delete s-2 update']],
  ['an update down to the partition', { updateStrategy: { rollingUpdate: { partition: 2 } } }, ['0 old ready', '1 old ready', '2 new ready'], []],
  ['an update of one, whatever may be unavailable', { updateStrategy: { rollingUpdate: { maxUnavailable: '50%' } } }, ['0 old ready', '1 old ready', '2 old ready'], ['delete s-2 update']],
  ['an update in parallel from the top too', { podManagementPolicy: 'Parallel' }, ['0 old', '1 old ready', '2 old ready'], ['delete s-2 update']],
  ['none while the one before is not ready, in parallel', { podManagementPolicy: 'Parallel' }, ['0 old ready', '1 old ready', '2 new'], []],
  ['none while the one before is going, in parallel', { podManagementPolicy: 'Parallel' }, ['0 old ready', '1 old ready', '2 old going'], []],
  ['no update by itself with OnDelete', { updateStrategy: { type: 'OnDelete' } }, ['0 old ready', '1 old ready', '2 old ready'], []],
] as [string, Partial<StatefulSet['spec']>, string[], string[]][])('a set takes %s', (_, spec, pods, expected) => {
  expect(words(planSteps(view(statefulSet(spec), pods)))).toEqual(expected)
})

test.each([
  ['one, where nothing is said', {}, ['0 old ready', '1 old ready', '2 old ready'], ['delete s-2 update']],
  ['two', { updateStrategy: { rollingUpdate: { maxUnavailable: '50%' } } }, ['0 old ready', '1 old ready', '2 old ready'], ['delete s-2 update', 'delete s-1 update']],
  ['broken ones first, in parallel', { podManagementPolicy: 'Parallel' }, ['0 old', '1 old ready', '2 old ready'], ['delete s-0 update']],
] as [string, Partial<StatefulSet['spec']>, string[], string[]][])('with MaxUnavailableStatefulSet an update takes %s', (_, spec, pods, expected) => {
  expect(words(planSteps(view(statefulSet(spec), pods, true)))).toEqual(expected)
})

test('the new revision is the current one when all pods are of it and ready', () => {
  expect(statefulSetStatus(view(statefulSet(), ['0 new ready', '1 new ready', '2 old ready']), 0)).toMatchObject({ replicas: 3, readyReplicas: 3, currentReplicas: 1, updatedReplicas: 2, currentRevision: 'old', updateRevision: 'new' })
  expect(statefulSetStatus(view(statefulSet(), ['0 new ready', '1 new ready', '2 new ready']), 0)).toMatchObject({ currentReplicas: 3, updatedReplicas: 3, currentRevision: 'new' })
})

test('a pod has a name, a host name, labels and claims of its own', () => {
  const set = statefulSet({ serviceName: 'svc', volumeClaimTemplates: [{ metadata: { name: 'data', labels: { l: '1' } }, spec: { accessModes: ['ReadWriteOnce'] } }] })
  const made = podFor(set, 2, 'rev')
  expect(made.metadata).toMatchObject({ name: 's-2', labels: { 'controller-revision-hash': 'rev', 'statefulset.kubernetes.io/pod-name': 's-2', 'apps.kubernetes.io/pod-index': '2' } })
  expect(made.spec).toMatchObject({ hostname: 's-2', subdomain: 'svc', volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-s-2' } }] })
  expect(claimsOf(set, 2)[0]?.claim.metadata).toEqual({ name: 'data-s-2', namespace: 'x', labels: { l: '1', a: 'b' } })
  expect([isMember(set, made), isMember(set, { ...made, metadata: { name: 's-x-2' } })]).toEqual([true, false])
})

test.each([
  ['Retain', 'Retain', 0, undefined],
  ['Delete', 'Retain', 0, ['StatefulSet']],
  ['Delete', 'Retain', 5, ['StatefulSet']],
  ['Retain', 'Delete', 0, undefined],
  ['Retain', 'Delete', 5, ['Pod']],
  ['Delete', 'Delete', 0, ['StatefulSet']],
  ['Delete', 'Delete', 5, ['Pod']],
] as const)('claims with whenDeleted %s and whenScaled %s at ordinal %i', (whenDeleted, whenScaled, ordinal, kinds) => {
  const set = statefulSet({ persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } })
  const claim = { metadata: { name: `data-s-${ordinal}`, namespace: 'x' }, spec: {} }
  const owners = claimOwners(set, pod(`${ordinal} new`), claim)
  expect(owners?.map((each) => each.kind)).toEqual(kinds)
  if (owners !== undefined) expect(claimOwners(set, pod(`${ordinal} new`), { ...claim, metadata: { ...claim.metadata, ownerReferences: owners } })).toBeUndefined()
  expect(isStaleClaim({ ...claim, metadata: { ...claim.metadata, ownerReferences: owners } }, { ...pod(`${ordinal} new`), metadata: { name: `s-${ordinal}`, uid: 'another' } })).toBe(kinds?.includes('Pod' as never) ?? false)
})

const setReference = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 's', uid: 'u', controller: true }
test.each([
  ['another controller', 'Delete', [{ ...setReference, kind: 'Database', name: 'd', uid: 'd' }], true, undefined],
  ['another controller beside the set', 'Delete', [{ ...setReference, kind: 'Database', name: 'd', uid: 'd' }, setReference], true, ['d']],
  ['another controller, and it is kept', 'Retain', [{ ...setReference, kind: 'Database', name: 'd', uid: 'd' }], false, undefined],
  ['a set of the same name that was before', 'Delete', [{ ...setReference, uid: 'before' }], true, undefined],
  ['the set, and it is kept', 'Retain', [setReference], false, []],
  ['the set, which is not its controller', 'Delete', [{ ...setReference, controller: false }], false, ['u']],
  ['another owner that is no controller', 'Delete', [{ ...setReference, kind: 'Backup', name: 'b', uid: 'b', controller: false }], false, ['b', 'u']],
] as const)('a claim that has %s (whenDeleted %s)', (_, whenDeleted, ownerReferences, conflicts, uids) => {
  const set = statefulSet({ persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled: 'Retain' } })
  const claim = { metadata: { name: 'data-s-0', namespace: 'x', ownerReferences: [...ownerReferences] }, spec: {} }
  expect(hasConflictingController(set, pod('0 new'), claim)).toBe(conflicts)
  expect(claimOwners(set, pod('0 new'), claim)?.map(({ uid }) => uid)).toEqual(uids)
})
