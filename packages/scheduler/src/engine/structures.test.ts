import { parseLabelSelector } from '@berth/api'
import { expect, test } from 'vitest'
import { ChangeLog } from './change-log.ts'
import { CountVector } from './count-vector.ts'
import { LabelIndex } from './label-index.ts'
import { Lru } from './lru.ts'

test('the log of changes gives each slot once, and says when there were too many', () => {
  const log = new ChangeLog()
  const slots: number[] = []
  for (const slot of [3, 1, 3, 200, 1]) log.record(slot)
  expect([log.since(0, 10, slots), [...slots]]).toEqual([true, [3, 200, 1]])
  expect([log.since(4, 10, slots), [...slots]]).toEqual([true, [1]])
  expect([log.since(5, 10, slots), [...slots]]).toEqual([true, []])
  expect(log.since(0, 2, slots)).toBe(false)
  for (let i = 0; i < 100_000; i++) log.record(i % 7)
  expect(log.since(0, 1_000_000, slots)).toBe(false)
  expect([log.since(log.head - 60_000, 20_000, slots), slots.length]).toEqual([true, 7])
})

test('counts by slot are the same in a map and in an array', () => {
  const counts = new CountVector()
  const expected = new Map<number, number>()
  for (let i = 0; i < 3000; i++) {
    const slot = (i * 7919) % 257
    const amount = (expected.get(slot) ?? 0) > 0 && i % 3 === 0 ? -1 : 1
    counts.add(slot, amount)
    const now = (expected.get(slot) ?? 0) + amount
    if (now === 0) expected.delete(slot)
    else expected.set(slot, now)
  }
  const found = new Map<number, number>()
  counts.forEach((slot, count) => found.set(slot, count))
  expect(counts.dense).toBeDefined()
  expect(new Map([...found].toSorted(([a], [b]) => a - b))).toEqual(new Map([...expected].toSorted(([a], [b]) => a - b)))
  expect([counts.nonzero, counts.total, counts.get(100_000)]).toEqual([expected.size, [...expected.values()].reduce((a, b) => a + b, 0), 0])
  counts.add(5000, 2)
  expect(counts.get(5000)).toBe(2)
})

test('selectors are found by the labels they need', () => {
  const index = new LabelIndex<string>()
  const selectors = Object.fromEntries(['app=a', 'app=b', 'app in (a,b)', 'app in (a),tier', '!app'].map((text) => [text, parseLabelSelector(text)]))
  for (const [text, selector] of Object.entries(selectors)) index.add(text, selector)
  const found = (labels: Record<string, string> | undefined): string[] => {
    const texts: string[] = []
    index.candidates(labels, (text) => { texts.push(text) })
    return texts.sort()
  }
  expect(found({ app: 'a', other: 'x' })).toEqual(['!app', 'app in (a),tier', 'app in (a,b)', 'app=a'])
  expect(found(undefined)).toEqual(['!app', 'app in (a,b)'])
  for (const [text, selector] of Object.entries(selectors)) index.delete(text, selector)
  expect([found({ app: 'a' }), index.isEmpty]).toEqual([[], true])
})

test('what was not used for the longest time is forgotten first', () => {
  const dropped: string[] = []
  const lru = new Lru<number>(2, (value, key) => dropped.push(`${key}${value}`))
  lru.set('a', 1)
  lru.set('b', 2)
  expect(lru.get('a')).toBe(1)
  lru.set('c', 3)
  expect([dropped, lru.get('b'), lru.get('a'), lru.get('c')]).toEqual([['b2'], undefined, 1, 3])
})
