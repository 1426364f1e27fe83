import { expect, test } from 'vitest'
import { asksForMore } from './controller.ts'

test.each([
  ['bound, and asks for more', 'Bound', '2Gi', '1Gi', true],
  ['bound, and has what it asks for', 'Bound', '1Gi', '1024Mi', false],
  ['bound, and has more', 'Bound', '1Gi', '2Gi', false],
  ['bound, and its size is not known', 'Bound', '1Gi', undefined, true],
  ['pending', 'Pending', '2Gi', '1Gi', false],
] as const)('a claim that is %s', (_name, phase, asked, has, wanted) => {
  expect(asksForMore({ metadata: { name: 'c' }, spec: { resources: { requests: { storage: asked } } }, status: { phase, ...(has === undefined ? {} : { capacity: { storage: has } }) } })).toBe(wanted)
})
