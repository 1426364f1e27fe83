import { expect, test } from 'vitest'
import type { Toleration } from '@berth/api/types/core/v1'
import { tolerates } from './tolerations.ts'

test.each([
  ['Lt', '10', '9', true], ['Lt', '10', '10', false], ['Gt', '10', '11', true], ['Gt', '-5', '-4', true],
  // Not written as Kubernetes writes integers.
  ['Gt', '010', '11', false], ['Gt', '+1', '2', false], ['Gt', '1', 'two', false], ['Gt', '1.5', '2', false], ['Lt', '9223372036854775808', '1', false],
])('%s %s and a taint of value %s: %s', (operator, bound, value, expected) => {
  const toleration: Toleration = { key: 'k', operator: operator as NonNullable<Toleration['operator']>, value: bound, effect: 'NoSchedule' }
  const taint = { key: 'k', value, effect: 'NoSchedule' } as const
  expect(tolerates(toleration, taint, { comparisons: true })).toBe(expected)
  expect(tolerates(toleration, taint)).toBe(false)
})
