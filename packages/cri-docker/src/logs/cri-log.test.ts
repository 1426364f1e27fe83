import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { criLines, type LogPosition, positionAtEnd } from './cri-log.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-crilog-'))
afterAll(() => rmSync(directory, { recursive: true }))

async function endOf(text: string | Buffer): Promise<{ position: LogPosition | undefined; wholeBytes: number }> {
  const path = join(directory, 'log')
  writeFileSync(path, text)
  const file = await open(path, 'r')
  try {
    return await positionAtEnd(file)
  } finally {
    await file.close()
  }
}

const line = (time: bigint, stream: 'stdout' | 'stderr', text: string, partial = false): string => criLines([{ time, stream, line: Buffer.from(text), partial }]).toString()

test('a line has the form of CRI, with its bytes as they are', () => {
  const entry = { time: 1763731638000000042n, stream: 'stderr' as const, line: Buffer.from([0xff, 0x41]), partial: true }
  const after = { time: 1763731639000000000n, stream: 'stdout' as const, line: Buffer.alloc(0), partial: false }
  expect(criLines([entry, after])).toEqual(Buffer.concat([Buffer.from('2025-11-21T13:27:18.000000042Z stderr P '), Buffer.from([0xff, 0x41, 0x0a]), Buffer.from('2025-11-21T13:27:19.000000000Z stdout F \n')]))
})

describe('the end of a log', () => {
  test('of nothing, or of half a line, has no position', async () => {
    expect(await endOf('')).toEqual({ position: undefined, wholeBytes: 0 })
    expect(await endOf('2025-11-21T13:27:18.000000042Z std')).toEqual({ position: undefined, wholeBytes: 0 })
  })

  test('is its last whole line', async () => {
    const whole = line(1n, 'stdout', 'a') + line(2n, 'stderr', 'b')
    expect(await endOf(`${whole}1970-01-01T00:00`)).toEqual({ position: { time: '1970-01-01T00:00:00.000000002Z', stream: 'stderr', count: 1 }, wholeBytes: whole.length })
  })

  test('counts the pieces of a long line, whatever the other stream wrote between them', async () => {
    const text = line(5n, 'stdout', 'a', true) + line(9n, 'stdout', 'x', true) + line(3n, 'stderr', 'e') + line(9n, 'stdout', 'y', true) + line(9n, 'stdout', 'z')
    expect((await endOf(text)).position).toEqual({ time: '1970-01-01T00:00:00.000000009Z', stream: 'stdout', count: 3 })
  })

  test('is found behind lines that are longer than what is read at once', async () => {
    const text = line(1n, 'stdout', 'first') + line(2n, 'stdout', 'x'.repeat(700_000), true) + line(2n, 'stdout', 'y'.repeat(300_000))
    expect(await endOf(`${text}half`)).toEqual({ position: { time: '1970-01-01T00:00:00.000000002Z', stream: 'stdout', count: 2 }, wholeBytes: text.length })
  })
})
