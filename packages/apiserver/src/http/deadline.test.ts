import { expect, test } from 'vitest'
import { requestTimeout } from './deadline.ts'

test.each([['', 60_000], ['timeout=', 60_000], ['timeout=0s', 60_000], ['timeout=-5s', 60_000], ['timeout=1m30s', 60_000], ['timeout=500ms', 500]])('of ?%s, a request is given %i ms', (query, expected) => {
  expect(requestTimeout(new URLSearchParams(query), 60_000)).toBe(expected)
})

test('what is no duration is refused', () => {
  expect(() => requestTimeout(new URLSearchParams('timeout=soon'), 1)).toThrow('invalid timeout specified in the request URL - time: invalid duration "soon"')
})
