import { expect, test } from 'vitest'
import { prioritiesOf } from './priorities.ts'

test.each<[string, number[], number[]]>([
  ['a tenth of the score', [100, 50, 0], [10, 5, 0]],
  ['what rounding makes equal to the best gets one less', [98, 95, 91, 20], [9, 8, 8, 2]],
  ['a best that rounds to nothing still stands out', [7, 3], [1, 0]],
  ['equals stay equal', [64, 64], [6, 6]],
  ['several best ones', [80, 80, 79], [8, 8, 7]],
  ['none', [], []],
])('%s', (_, scores, wanted) => {
  expect(prioritiesOf(scores)).toEqual(wanted)
})
