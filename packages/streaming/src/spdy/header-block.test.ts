import { constants, createDeflate, createInflate } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { dictionary, dictionaryId } from './dictionary.ts'
import { HeaderCompressor, HeaderDecompressor, maxHeaderBytes, type SpdyHeaders } from './header-block.ts'

function plainBlock(entries: [string, string][]): Buffer {
  const word = (text: string): Buffer => {
    const bytes = Buffer.alloc(4 + Buffer.byteLength(text))
    bytes.writeUInt32BE(Buffer.byteLength(text))
    bytes.write(text, 4)
    return bytes
  }
  const count = Buffer.alloc(4)
  count.writeUInt32BE(entries.length)
  return Buffer.concat([count, ...entries.flatMap(([name, value]) => [word(name), word(value)])])
}

/** A peer as others build it: one zlib stream with the dictionary and a sync flush after each block. */
async function zlibBlocks(blocks: Buffer[]): Promise<Buffer[]> {
  const deflate = createDeflate({ dictionary })
  const pieces: Buffer[] = []
  for (const block of blocks) {
    const chunks: Buffer[] = []
    const take = (chunk: Buffer): void => void chunks.push(chunk)
    deflate.on('data', take)
    deflate.write(block)
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
    await new Promise((resolve) => setImmediate(resolve))
    deflate.off('data', take)
    pieces.push(Buffer.concat(chunks))
  }
  return pieces
}

test('the dictionary is the one of the SPDY/3 draft, by its length and checksum', () => {
  let low = 1
  let high = 0
  for (const byte of dictionary) {
    low = (low + byte) % 65521
    high = (high + low) % 65521
  }
  expect(dictionary.length).toBe(1423)
  expect(((high << 16) | low) >>> 0).toBe(dictionaryId)
})

describe('header blocks', () => {
  const streams: SpdyHeaders[] = [
    { streamtype: 'error', port: '8080', requestid: '0' },
    { streamtype: 'data', port: '8080', requestid: '0' },
    {},
    { streamtype: 'data', 'x-long': 'v'.repeat(40_000) },
    { streamtype: 'data', port: '8080', requestid: '1' },
  ]

  test('are read back by our own reader, in their order', () => {
    const compressor = new HeaderCompressor()
    const decompressor = new HeaderDecompressor()
    for (const headers of streams) expect(decompressor.decompress(compressor.compress(headers))).toEqual(headers)
  })

  test('of a zlib stream with the dictionary, which refer back to each other, are read', async () => {
    const decompressor = new HeaderDecompressor()
    const pieces = await zlibBlocks(streams.map((headers) => plainBlock(Object.entries(headers))))
    expect(pieces.map((piece) => decompressor.decompress(piece))).toEqual(streams)
    expect(pieces[1]?.length).toBeLessThan(30)
  })

  test('of ours are one zlib stream that others can read', async () => {
    const compressor = new HeaderCompressor()
    const inflate = createInflate({ dictionary })
    const chunks: Buffer[] = []
    inflate.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (const headers of streams) inflate.write(compressor.compress(headers))
    await new Promise<void>((resolve) => inflate.flush(constants.Z_SYNC_FLUSH, resolve))
    await new Promise((resolve) => setImmediate(resolve))
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat(streams.map((headers) => plainBlock(Object.entries(headers)))))
  })

  test('join the values of one name and lower the case of names', async () => {
    const [piece = Buffer.alloc(0)] = await zlibBlocks([plainBlock([['StreamType', 'a\0b']])])
    expect(new HeaderDecompressor().decompress(piece)).toEqual({ streamtype: 'a, b' })
  })

  test.each([
    ['larger than the limit', [['a', 'x'.repeat(maxHeaderBytes)]], 'cannot be decompressed'],
    ['with a repeated name', [['a', '1'], ['A', '2']], 'empty or repeated name'],
    ['with an empty name', [['', '1']], 'empty or repeated name'],
  ] as [string, [string, string][], string][])('%s are refused', async (_what, entries, message) => {
    const [piece = Buffer.alloc(0)] = await zlibBlocks([plainBlock(entries)])
    expect(() => new HeaderDecompressor().decompress(piece)).toThrow(message)
  })

  test.each([
    ['nothing', Buffer.alloc(0), 'too short'],
    ['no zlib stream', Buffer.from('GET / HTTP/1.1'), 'not a zlib stream'],
    ['another dictionary', Buffer.from([0x78, 0xbb, 1, 2, 3, 4, 0]), 'unknown dictionary'],
    ['garbage after the start', Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2, 0xff, 0xff, 0xff]), 'cannot be decompressed'],
  ])('that are %s are refused', (_what, block, message) => {
    expect(() => new HeaderDecompressor().decompress(block)).toThrow(message)
  })
})
