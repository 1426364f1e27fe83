import { expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { boundToClaim, findMatchingVolume, topologyTermsMatch, type MatchOptions } from './index.ts'

const claim = (spec: Partial<PersistentVolumeClaim['spec']> = {}, annotations?: Record<string, string>): PersistentVolumeClaim => ({
  metadata: { name: 'c', namespace: 'ns', uid: 'u', ...(annotations ? { annotations } : {}) },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '5Gi' } }, ...spec },
})
const volume = (name: string, size: string, spec: Partial<PersistentVolume['spec']> = {}, more: { labels?: Record<string, string>; phase?: 'Available' | 'Released' | 'Pending'; deletionTimestamp?: string; annotations?: Record<string, string> } = {}): PersistentVolume => ({
  metadata: { name, ...(more.labels ? { labels: more.labels } : {}), ...(more.deletionTimestamp ? { deletionTimestamp: more.deletionTimestamp } : {}), ...(more.annotations ? { annotations: more.annotations } : {}) },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: size }, storageClassName: 'fast', ...spec },
  status: { phase: more.phase ?? 'Available' },
})
const zone = (...values: string[]): PersistentVolume['spec']['nodeAffinity'] => ({ required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values }] }] } })
const inA: MatchOptions = { nodeLabels: { zone: 'a' } }

test.each<[string, PersistentVolumeClaim, PersistentVolume[], MatchOptions, string | undefined]>([
  ['the smallest one that is large enough', claim(), [volume('p10', '10Gi'), volume('p4', '4Gi'), volume('p6', '6Gi')], inA, 'p6'],
  ['the first of equals', claim(), [volume('x', '6Gi'), volume('y', '6Gi')], inA, 'x'],
  ['exactly as large as asked for', claim(), [volume('p', '5Gi')], inA, 'p'],
  ['none that is too small', claim(), [volume('p', '5119Mi')], inA, undefined],
  ['none of another class', claim(), [volume('p', '10Gi', { storageClassName: 'slow' })], inA, undefined],
  ['no class goes with no class', claim({ storageClassName: '' }), [volume('p', '10Gi'), volume('q', '10Gi', { storageClassName: '' })], inA, 'q'],
  ['the beta annotation is the class', claim({ storageClassName: 'fast' }, { 'volume.beta.kubernetes.io/storage-class': 'slow' }), [volume('p', '9Gi'), volume('q', '9Gi', { storageClassName: 'slow' })], inA, 'q'],
  ['none that is released, or not yet available', claim(), [volume('p', '10Gi', {}, { phase: 'Released' }), volume('q', '10Gi', {}, { phase: 'Pending' })], inA, undefined],
  ['none that is being deleted', claim(), [volume('p', '10Gi', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })], inA, undefined],
  ['none of another volume mode', claim({ volumeMode: 'Block' }), [volume('p', '10Gi'), volume('q', '20Gi', { volumeMode: 'Block' })], inA, 'q'],
  ['none without one of the access modes', claim({ accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }), [volume('p', '10Gi'), volume('q', '20Gi', { accessModes: ['ReadOnlyMany', 'ReadWriteOnce', 'ReadWriteMany'] })], inA, 'q'],
  ['labels as the selector says', claim({ selector: { matchLabels: { tier: 'gold' } } }), [volume('p', '6Gi', {}, { labels: { tier: 'tin' } }), volume('q', '20Gi', {}, { labels: { tier: 'gold' } })], inA, 'q'],
  ['reachable from the node', claim(), [volume('p', '6Gi', { nodeAffinity: zone('b') }), volume('q', '20Gi', { nodeAffinity: zone('a', 'c') })], inA, 'q'],
  ['the one that names it, though another fits better', claim(), [volume('p', '6Gi'), volume('q', '20Gi', { claimRef: { name: 'c', namespace: 'ns' } })], inA, 'q'],
  ['the one that names it, of any class and phase', claim(), [volume('q', '20Gi', { storageClassName: 'slow', claimRef: { name: 'c', namespace: 'ns', uid: 'u' } }, { phase: 'Released' })], inA, 'q'],
  ['none, where the one that names it is out of reach', claim(), [volume('q', '20Gi', { claimRef: { name: 'c', namespace: 'ns' }, nodeAffinity: zone('b') }), volume('p', '6Gi')], inA, undefined],
  ['none that names an earlier claim of that name', claim(), [volume('q', '20Gi', { claimRef: { name: 'c', namespace: 'ns', uid: 'old' } })], inA, undefined],
  ['none that is spoken for', claim(), [volume('p', '6Gi'), volume('q', '20Gi')], { ...inA, taken: new Set(['p']) }, 'q'],
  ['attributes classes have to be the same', claim({ volumeAttributesClassName: 'gold' }), [volume('p', '6Gi'), volume('q', '20Gi', { volumeAttributesClassName: 'gold' })], inA, 'q'],
  ['the binder leaves late claims alone', claim(), [volume('p', '6Gi')], { bindsLate: true }, undefined],
  ['the binder finishes what names a late claim', claim(), [volume('p', '6Gi', { claimRef: { name: 'c', namespace: 'ns' } })], { bindsLate: true }, 'p'],
  ['the binder does not ask where a volume can be reached', claim(), [volume('p', '6Gi', { nodeAffinity: zone('b') })], {}, 'p'],
])('a claim gets %s', (_, given, volumes, options, name) => {
  expect(findMatchingVolume(given, volumes, options)?.metadata.name).toBe(name)
})

test('binding a volume gives it the claim with its uid, and says that it was not the user who chose', () => {
  const bound = boundToClaim(volume('p', '6Gi'), claim())
  expect([bound.spec.claimRef, bound.metadata.annotations]).toEqual([{ kind: 'PersistentVolumeClaim', apiVersion: 'v1', name: 'c', namespace: 'ns', uid: 'u' }, { 'pv.kubernetes.io/bound-by-controller': 'yes' }])
  expect(boundToClaim(bound, claim())).toBe(bound)
})

test('a volume that the user bound gets the uid alone', () => {
  const bound = boundToClaim(volume('p', '6Gi', { claimRef: { name: 'c', namespace: 'ns' } }), claim())
  expect([bound.spec.claimRef?.uid, bound.metadata.annotations]).toEqual(['u', undefined])
})

test.each<[string, Parameters<typeof topologyTermsMatch>[0], boolean]>([
  ['no terms allow all', [], true],
  ['an empty term allows nothing', [{}], false],
  ['all requirements of one term', [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }, { key: 'rack', values: ['2'] }] }], false],
  ['any term', [{ matchLabelExpressions: [{ key: 'zone', values: ['z'] }] }, { matchLabelExpressions: [{ key: 'zone', values: ['b', 'a'] }] }], true],
])('topologies: %s', (_, terms, matches) => {
  expect(topologyTermsMatch(terms, { zone: 'a', rack: '1' })).toBe(matches)
})
