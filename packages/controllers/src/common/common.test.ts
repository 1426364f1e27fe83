import { fakeClock } from '@berth/kube'
import { describe, expect, test } from 'vitest'
import { decideClaim } from './adoption.ts'
import { Expectations } from './expectations.ts'
import { canonicalJson, contentHash } from './hash.ts'
import type { ApiObject } from './owners.ts'
import { slowStartBatch } from './slow-start.ts'

describe('whether an object is ours', () => {
  const owner: ApiObject = { metadata: { name: 'o', namespace: 'd', uid: 'me' } }
  const leaving: ApiObject = { metadata: { ...owner.metadata, deletionTimestamp: 't' } }
  const object = (controller?: string, more: Partial<ApiObject['metadata']> = {}): ApiObject => ({ metadata: { name: 'x', namespace: 'd', ...more, ...(controller === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'o', uid: controller, controller: true }] }) } })
  test.each([
    ['ours and selected', owner, object('me'), true, 'own'],
    ['ours and no longer selected', owner, object('me'), false, 'release'],
    ['ours, and we are leaving', leaving, object('me'), false, 'ignore'],
    ['another’s', owner, object('you'), true, 'ignore'],
    ['nobody’s and selected', owner, object(), true, 'adopt'],
    ['nobody’s and not selected', owner, object(), false, 'ignore'],
    ['nobody’s, and we are leaving', leaving, object(), true, 'ignore'],
    ['nobody’s, and it is leaving', owner, object(undefined, { deletionTimestamp: 't' }), true, 'ignore'],
    ['nobody’s, of another namespace', owner, object(undefined, { namespace: 'e' }), true, 'ignore'],
  ] as const)('%s', (_name, who, what, matches, want) => {
    expect(decideClaim(who, matches, what)).toBe(want)
  })
})

test('expectations hold until what was done is seen, or five minutes have passed', async () => {
  const clock = fakeClock()
  const expectations = new Expectations(clock)
  expect(expectations.satisfied('k')).toBe(true)
  expectations.expectCreations('k', 2)
  expectations.creationObserved('k')
  expect(expectations.satisfied('k')).toBe(false)
  expectations.creationObserved('k')
  expect(expectations.satisfied('k')).toBe(true)
  expectations.expectDeletions('k', ['a', 'b'])
  expectations.deletionObserved('k', 'a')
  expectations.deletionObserved('k', 'a')
  expect(expectations.satisfied('k')).toBe(false)
  await clock.advance(5 * 60_000 + 1)
  expect(expectations.satisfied('k')).toBe(true)
})

test('batches double while they succeed, and end with the first that fails', async () => {
  const sizes: number[] = []
  let running = 0
  const count = async (): Promise<void> => {
    running += 1
    await Promise.resolve()
    if (running > 0) sizes.push(running)
    running = 0
  }
  expect(await slowStartBatch(10, count)).toEqual({ successes: 10 })
  expect(sizes).toEqual([1, 2, 4, 3])
  let calls = 0
  const failing = await slowStartBatch(500, async () => {
    calls += 1
    if (calls > 3) throw new Error('quota')
  })
  expect([calls, failing.successes, (failing.error as Error).message]).toEqual([7, 3, 'quota'])
  expect(await slowStartBatch(0, count)).toEqual({ successes: 0 })
})

test('the same content has the same hash, whatever the order of its keys', () => {
  expect(contentHash({ a: 1, b: [{ c: 2, d: undefined }], e: [] })).toBe(contentHash({ b: [{ c: 2 }], a: 1 }))
  expect(contentHash({ a: 1 })).not.toBe(contentHash({ a: 2 }))
  expect(contentHash({ a: 1 }, 1)).not.toBe(contentHash({ a: 1 }))
  expect(canonicalJson({ emptyDir: {}, none: null })).toBe('{"emptyDir":{}}')
})
