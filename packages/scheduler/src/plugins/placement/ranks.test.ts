import { expect, test } from 'vitest'
import { scoreByRank } from './ranks.ts'

const scored = (values: number[]): number[] => {
  scoreByRank(values)
  return values
}

test.each<[string, number[], number[]]>([
  ['the lowest value gets all, the highest nothing', [3, 1, 2], [0, 100, 50]],
  ['equals get the same', [1, 1, 7, 7], [100, 100, 0, 0]],
  ['nothing to tell apart: all the best', [5, 5], [100, 100]],
  ['how far values lie apart does not matter', [0, 1, 1_000_000], [100, 50, 0]],
  ['none', [], []],
])('%s', (_, values, wanted) => {
  expect(scored(values)).toEqual(wanted)
})

test('of a thousand places only the first gets a hundred, and the order holds', () => {
  const scores = scored(Array.from({ length: 1000 }, (_, i) => i))
  expect([scores.filter((s) => s === 100).length, scores.at(-1), scores.every((s, i) => i === 0 || s <= (scores[i - 1] ?? 0))]).toEqual([1, 0, true])
})
