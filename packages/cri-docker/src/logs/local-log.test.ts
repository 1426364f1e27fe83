import { describe, expect, test } from 'vitest'
import { LocalLogParser, type LogEntry } from './local-log.ts'

/** An entry as the Engine writes it. */
function entryBytes(source: string, time: bigint, line: Buffer, piece?: { last: boolean }): Buffer {
  const varint = (value: bigint): Buffer => {
    const bytes: number[] = []
    for (let rest = value; ; rest >>= 7n) {
      if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)])
      bytes.push(Number(rest & 0x7fn) | 0x80)
    }
  }
  const field = (key: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([key]), varint(BigInt(value.length)), value])
  const body = Buffer.concat([
    field(0x0a, Buffer.from(source)),
    Buffer.from([0x10]),
    varint(time),
    field(0x1a, line),
    ...(piece ? [field(0x2a, Buffer.concat([piece.last ? Buffer.from([0x08, 1]) : Buffer.alloc(0), field(0x12, Buffer.from('id')), Buffer.from([0x18, 1])]))] : []),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32BE(body.length)
  return Buffer.concat([size, body, size])
}

const one = entryBytes('stdout', 1763731638123456789n, Buffer.from([0x61, 0xff, 0x0a]))
const two = entryBytes('stderr', 2n, Buffer.from('piece'), { last: false })
const three = entryBytes('stderr', 2n, Buffer.alloc(0), { last: true })
const expected: LogEntry[] = [
  { stream: 'stdout', time: 1763731638123456789n, line: Buffer.from([0x61, 0xff, 0x0a]), partial: false },
  { stream: 'stderr', time: 2n, line: Buffer.from('piece'), partial: true },
  { stream: 'stderr', time: 2n, line: Buffer.alloc(0), partial: false },
]

describe('the local log', () => {
  test.each([1, 3, 10, 1000])('gives its entries, bytes exact, when read %i bytes at a time', (size) => {
    const parser = new LocalLogParser()
    const all = Buffer.concat([one, two, three])
    const entries: LogEntry[] = []
    for (let start = 0; start < all.length; start += size) entries.push(...parser.push(all.subarray(start, start + size)))
    expect(entries).toEqual(expected)
    expect(parser.pending).toBe(0)
  })

  test('waits for the rest of an entry', () => {
    const parser = new LocalLogParser()
    expect([...parser.push(one.subarray(0, 10))]).toEqual([])
    expect(parser.pending).toBe(10)
    expect([...parser.push(one.subarray(10))]).toEqual(expected.slice(0, 1))
  })

  test('passes over what an Engine that was killed left half written', () => {
    const parser = new LocalLogParser()
    const torn = two.subarray(0, 9)
    const entries = [...parser.push(Buffer.concat([one, torn, three])), ...parser.end()]
    expect(entries).toEqual([expected[0], expected[2]])
    expect(parser.skipped).toBe(9)
  })
})
