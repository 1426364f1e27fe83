import { expect, test } from 'vitest'
import { deletionConditions, sameConditions } from './conditions.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const clean = { discoveryFailures: [], deletionFailures: [], remaining: new Map<string, number>(), finalizers: new Map<string, number>() }

test('what remains and what failed is told in upstream’s words, and times move only with a status', () => {
  const report = { discoveryFailures: ['b/v1: down', 'a/v1: stale GroupVersion discovery: a/v1'], deletionFailures: ['no', 'forbidden'], remaining: new Map([['pods.', 2], ['deployments.apps', 1]]), finalizers: new Map([['x/y', 2]]) }
  const first = deletionConditions([{ type: 'Custom', status: 'True' }], report, now)
  expect(first.map((c) => [c.type, c.status, c.reason, c.message])).toEqual([
    ['Custom', 'True', undefined, undefined],
    ['NamespaceDeletionDiscoveryFailure', 'True', 'DiscoveryFailed', 'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: a/v1: stale GroupVersion discovery: a/v1, b/v1: down'],
    ['NamespaceDeletionGroupVersionParsingFailure', 'False', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ['NamespaceDeletionContentFailure', 'True', 'ContentDeletionFailed', 'Failed to delete all resource types, 2 remaining: forbidden, no'],
    ['NamespaceContentRemaining', 'True', 'SomeResourcesRemain', 'Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances'],
    ['NamespaceFinalizersRemaining', 'True', 'SomeFinalizersRemain', 'Some content in the namespace has finalizers remaining: x/y in 2 resource instances'],
  ])
  const later = deletionConditions(first, { ...report, remaining: new Map() }, now + 60_000)
  expect(later.find((c) => c.type === 'NamespaceDeletionContentFailure')?.lastTransitionTime).toBe('2026-01-01T00:00:00Z')
  expect(later.find((c) => c.type === 'NamespaceContentRemaining')).toMatchObject({ status: 'False', reason: 'ContentRemoved', lastTransitionTime: '2026-01-01T00:01:00Z' })
  expect([sameConditions(first, later), sameConditions(later, deletionConditions(later, { ...report, remaining: new Map() }, now + 90_000))]).toEqual([false, true])
  expect(deletionConditions([], clean, now).every((c) => c.status === 'False')).toBe(true)
})
