import { expect, test } from 'vitest'
import { numberEndpoints, placeEndpoints } from './placement.ts'

test.each([
  { title: 'all are new', before: [], wanted: ['a', 'b'], want: ['a', 'b'] },
  { title: 'a new one comes at the end', before: ['a', 'b'], wanted: ['a', 'b', 'c'], want: ['a', 'b', 'c'] },
  { title: 'the last one fills the place of one that is gone', before: ['a', 'b', 'c', 'd'], wanted: ['a', 'c', 'd'], want: ['a', 'd', 'c'] },
  { title: 'a new one takes the place of one that is gone', before: ['a', 'b', 'c'], wanted: ['a', 'x', 'c'], want: ['a', 'x', 'c'] },
  { title: 'the last one goes', before: ['a', 'b', 'c'], wanted: ['a', 'b'], want: ['a', 'b'] },
  { title: 'several go, also at the end', before: ['a', 'b', 'c', 'd', 'e'], wanted: ['a', 'd'], want: ['a', 'd'] },
  { title: 'only the last stays', before: ['a', 'b', 'c'], wanted: ['c'], want: ['c'] },
  { title: 'none stays', before: ['a', 'b', 'c'], wanted: ['x'], want: ['x'] },
  { title: 'all go', before: ['a', 'b'], wanted: [], want: [] },
])('endpoints are placed with as little change as possible: $title', ({ before, wanted, want }) => {
  expect(placeEndpoints(before, wanted)).toEqual(want)
})

test('whatever comes and goes, all wanted have a place, once, and no more places change than endpoints do', () => {
  let seed = 7
  const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n
  let before: string[] = []
  for (let i = 0; i < 500; i++) {
    const wanted = Array.from({ length: 12 }, (_, n) => `e${n}`).filter(() => random(3) > 0)
    const placed = placeEndpoints(before, wanted)
    expect(placed.toSorted()).toEqual(wanted.toSorted())
    const changed = placed.filter((endpoint, at) => before[at] !== undefined && before[at] !== endpoint).length
    expect(changed).toBeLessThanOrEqual(before.filter((endpoint) => !wanted.includes(endpoint)).length)
    before = placed
  }
})

test('numbers stay for as long as their endpoint is wanted; free ones are given again', () => {
  const before = new Map([['a', 0], ['b', 1], ['c', 2]])
  expect(numberEndpoints(before, ['c', 'x', 'a', 'y'])).toEqual(new Map([['c', 2], ['a', 0], ['x', 1], ['y', 3]]))
})
