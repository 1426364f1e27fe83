import { expect, test } from 'vitest'
import { nextStep, secondsOf } from './boundaries.ts'

test.each([
  ['a small cluster', 0, 100, 0],
  ['one that has grown', 0, 101, 15],
  ['one that has shrunk a little', 1, 90, 15],
  ['one that has shrunk', 1, 89, 0],
  ['one that starts large', 0, 5000, 300],
  ['one that has lost most of its nodes', 4, 10, 0],
])('%s', (_name, step, nodes, seconds) => {
  expect(secondsOf(nextStep(step, nodes))).toBe(seconds)
})
