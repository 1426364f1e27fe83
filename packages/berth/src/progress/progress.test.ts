import { expect, test } from 'vitest'
import { Progress } from './progress.ts'

function output(isTTY: boolean): { out: { write(text: string): void; isTTY: boolean }; written: string[] } {
  const written: string[] = []
  return { written, out: { isTTY, write: (text) => { written.push(text.replace(/\d+\.\d s/, 'T s')) } } }
}

test('into a pipe a step is one line, written when it is done, without control sequences', async () => {
  const { out, written } = output(false)
  const value = await new Progress(out).step('Nodes', async (detail) => {
    detail('0 of 2 Ready')
    expect(written).toEqual([])
    detail('2 of 2 Ready')
    return 42
  })
  expect(value).toBe(42)
  expect(written).toEqual(['✓ Nodes  2 of 2 Ready  T s\n'])
})

test('on a terminal the line is there at once and is drawn again over itself', async () => {
  const { out, written } = output(true)
  await new Progress(out).step('Nodes', async (detail) => detail('1 of 1 Ready'))
  expect(written).toEqual(['\r\x1b[2K… Nodes  T s', '\r\x1b[2K… Nodes  1 of 1 Ready  T s', '\r\x1b[2K✓ Nodes  1 of 1 Ready  T s\n'])
})

test('a step that fails is marked, and its error goes on', async () => {
  const { out, written } = output(false)
  await expect(new Progress(out).step('DNS', async () => { throw new Error('it does not serve') })).rejects.toThrow('it does not serve')
  expect(written).toEqual(['✗ DNS  T s\n'])
})

test('steps follow each other, each with its own line', async () => {
  const { out, written } = output(false)
  const progress = new Progress(out)
  await progress.step('Engine', async (detail) => detail('found'))
  await progress.step('DNS', async () => undefined)
  expect(written).toEqual(['✓ Engine  found  T s\n', '✓ DNS  T s\n'])
})
