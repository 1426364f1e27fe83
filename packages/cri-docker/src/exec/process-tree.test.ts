import { expect, test } from 'vitest'
import { parseStat, treeOf } from './process-tree.ts'

const info = (pid: number, parent: number, session: number, startTime: number): { pid: number; parent: number; session: number; startTime: bigint } => ({ pid, parent, session, startTime: BigInt(startTime) })

test('a stat line is read whatever the program is called', () => {
  const fields = ['S', '7', '42', '41', ...Array.from({ length: 15 }, () => '0'), '123456', '0']
  expect(parseStat(`42 (a) b (c) ${fields.join(' ')}`)).toEqual({ pid: 42, parent: 7, session: 41, startTime: 123456n })
  expect(parseStat('nonsense')).toBeUndefined()
})

test('a tree is the process, its descendants, and orphans of its own session that are younger', () => {
  const all = [info(10, 1, 10, 100), info(11, 10, 10, 101), info(12, 11, 12, 102), info(13, 1, 10, 103), info(14, 1, 10, 50), info(20, 1, 20, 104), info(21, 13, 13, 105)]
  expect(treeOf(10, all).map(({ pid }) => pid).toSorted((a, b) => a - b)).toEqual([10, 11, 12, 13, 21])
  expect(treeOf(99, all)).toEqual([])
})

test('a process that leads no session does not take its session along', () => {
  expect(treeOf(10, [info(10, 1, 5, 100), info(11, 1, 5, 101)]).map(({ pid }) => pid)).toEqual([10])
})
