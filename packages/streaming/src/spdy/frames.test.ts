import { describe, expect, test } from 'vitest'
import { encode, type Frame, FrameParser, maxControlFrameBytes } from './frames.ts'

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const conversation = Buffer.concat([
  encode.synStream(1, Buffer.from('block'), false),
  encode.synReply(1, Buffer.from('reply'), true),
  encode.dataHeader(1, 5, false),
  Buffer.from('hello'),
  encode.dataHeader(3, 0, true),
  encode.ping(7),
  encode.windowUpdate(1, 5),
  encode.rstStream(1, 5),
  encode.goAway(3, 0),
])

/** Joins the pieces of data that belong together, so that cuts do not matter. */
function joined(frames: Frame[]): unknown[] {
  const result: unknown[] = []
  let text = ''
  for (const frame of frames) {
    if (frame.kind !== 'data') result.push(frame)
    else {
      text += frame.data.toString()
      if (text.length >= 5 || frame.fin) {
        result.push({ kind: 'data', streamId: frame.streamId, text, fin: frame.fin })
        text = ''
      }
    }
  }
  return result
}

const expected = [
  { kind: 'synStream', streamId: 1, associatedId: 0, fin: false, unidirectional: false, block: Buffer.from('block') },
  { kind: 'synReply', streamId: 1, fin: true, block: Buffer.from('reply') },
  { kind: 'data', streamId: 1, text: 'hello', fin: false },
  { kind: 'data', streamId: 3, text: '', fin: true },
  { kind: 'ping', id: 7 },
  { kind: 'windowUpdate', streamId: 1, delta: 5 },
  { kind: 'rstStream', streamId: 1, status: 5 },
  { kind: 'goAway', lastGoodStreamId: 3, status: 0 },
]

describe('the frame parser', () => {
  test.each([1, 2, 3, 7, 8, 9, 13, 1000])('reads the same frames when the bytes come %i at a time', (size) => {
    const parser = new FrameParser()
    const frames: Frame[] = []
    for (let start = 0; start < conversation.length; start += size) frames.push(...parser.push(conversation.subarray(start, start + size)))
    expect(joined(frames)).toEqual(expected)
  })

  test('passes the data of a long frame on as it comes, and marks only its last piece', () => {
    const parser = new FrameParser()
    const pieces = [...parser.push(encode.dataHeader(5, 10_000_000, true)), ...parser.push(Buffer.alloc(9_999_999)), ...parser.push(Buffer.alloc(1))]
    expect(pieces.map((piece) => (piece.kind === 'data' ? [piece.data.length, piece.fin] : piece))).toEqual([
      [9_999_999, false],
      [1, true],
    ])
  })

  test('passes over a control frame that it does not know', () => {
    const frame = encode.ping(1)
    frame.writeUInt16BE(99, 2)
    expect([...new FrameParser().push(frame)]).toEqual([{ kind: 'unknown', type: 99 }])
  })

  test('refuses another version, an endless control frame, and one that is too short', () => {
    const wrongVersion = encode.ping(1)
    wrongVersion.writeUInt16BE(0x8002, 0)
    expect(() => [...new FrameParser().push(wrongVersion)]).toThrow('SPDY version 2 is not 3')
    const endless = Buffer.from([0x80, 3, 0, 6, 0, 0xff, 0xff, 0xff])
    expect(() => [...new FrameParser().push(endless)]).toThrow(`longer than ${maxControlFrameBytes}`)
    const short = Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1])
    expect(() => [...new FrameParser().push(short)]).toThrow('too short')
  })

  test('either gives frames or throws StreamingError on any bytes', () => {
    const random = randomFrom(11)
    for (let round = 0; round < 5000; round++) {
      const parser = new FrameParser()
      const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256)))
      if (round % 2 === 0 && bytes.length > 8) Buffer.from([0x80, 3, 0, Math.floor(random() * 10), 0, 0, 0, Math.floor(random() * 30)]).copy(bytes)
      try {
        for (const frame of parser.push(bytes)) expect(frame.kind).toBeTypeOf('string')
      } catch (error) {
        expect(error).toMatchObject({ name: 'StreamingError' })
      }
    }
  })
})
