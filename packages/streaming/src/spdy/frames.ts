import { StreamingError } from '../errors.ts'

/** SPDY/3.1's control frames by their type's number. */
export const frameType = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const

/** Why a stream was reset (RST_STREAM). */
export const resetStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, internalError: 6, streamInUse: 8, streamAlreadyClosed: 9, frameTooLarge: 11 } as const

/** A control frame may be this long; the longest that peers send is a header block. */
export const maxControlFrameBytes = 64 * 1024

/** A frame as it comes in. Data arrives in pieces as the bytes do, so that a long frame is never gathered; `fin` is on the last piece. */
export type Frame =
  | { kind: 'data'; streamId: number; data: Buffer; fin: boolean }
  | { kind: 'synStream'; streamId: number; associatedId: number; fin: boolean; unidirectional: boolean; block: Buffer }
  | { kind: 'synReply'; streamId: number; fin: boolean; block: Buffer }
  | { kind: 'headers'; streamId: number; fin: boolean; block: Buffer }
  | { kind: 'rstStream'; streamId: number; status: number }
  | { kind: 'ping'; id: number }
  | { kind: 'goAway'; lastGoodStreamId: number; status: number }
  | { kind: 'windowUpdate'; streamId: number; delta: number }
  | { kind: 'settings' }
  | { kind: 'unknown'; type: number }

const version = 3
const flagFin = 0x01
const flagUnidirectional = 0x02
const idMask = 0x7fffffff

/** Cuts a stream of bytes into frames. */
export class FrameParser {
  private readonly pending: Buffer[] = []
  private pendingBytes = 0
  /** Set while a data frame's payload is passing. */
  private data: { streamId: number; left: number; fin: boolean } | undefined

  /** The frames that these bytes complete. Throws StreamingError on what is not SPDY/3 or goes over a limit; the parser is of no use after that. */
  *push(chunk: Buffer): Generator<Frame> {
    let rest = chunk
    while (rest.length > 0) {
      if (this.data) {
        const piece = rest.subarray(0, this.data.left)
        rest = rest.subarray(piece.length)
        const { streamId, fin } = this.data
        this.data.left -= piece.length
        const last = this.data.left === 0
        if (last) this.data = undefined
        yield { kind: 'data', streamId, data: piece, fin: last && fin }
        continue
      }
      rest = this.gather(rest, 8)
      if (this.pendingBytes < 8) return
      const header = this.joined()
      const flags = header.readUInt8(4)
      const length = header.readUIntBE(5, 3)
      if ((header.readUInt8(0) & 0x80) === 0) {
        this.clear()
        const streamId = header.readUInt32BE(0)
        const fin = (flags & flagFin) !== 0
        if (length === 0) yield { kind: 'data', streamId, data: Buffer.alloc(0), fin }
        else this.data = { streamId, left: length, fin }
        continue
      }
      if ((header.readUInt16BE(0) & 0x7fff) !== version) throw new StreamingError(`SPDY version ${header.readUInt16BE(0) & 0x7fff} is not 3`)
      if (length > maxControlFrameBytes) throw new StreamingError(`SPDY control frame of ${length} bytes is longer than ${maxControlFrameBytes}`)
      rest = this.gather(rest, 8 + length)
      if (this.pendingBytes < 8 + length) return
      const frame = this.joined()
      this.clear()
      yield controlFrame(frame.readUInt16BE(2), flags, frame.subarray(8))
    }
  }

  private gather(rest: Buffer, upTo: number): Buffer {
    const wanted = upTo - this.pendingBytes
    if (wanted <= 0) return rest
    const piece = rest.subarray(0, wanted)
    if (piece.length > 0) this.pending.push(piece)
    this.pendingBytes += piece.length
    return rest.subarray(piece.length)
  }

  private joined(): Buffer {
    if (this.pending.length > 1) this.pending.splice(0, this.pending.length, Buffer.concat(this.pending))
    return this.pending[0] ?? Buffer.alloc(0)
  }

  private clear(): void {
    this.pending.length = 0
    this.pendingBytes = 0
  }
}

function controlFrame(type: number, flags: number, body: Buffer): Frame {
  const fin = (flags & flagFin) !== 0
  const id = (offset: number): number => {
    if (body.length < offset + 4) throw new StreamingError(`SPDY control frame of type ${type} is too short`)
    return body.readUInt32BE(offset) & idMask
  }
  const word = (offset: number): number => {
    id(offset)
    return body.readUInt32BE(offset)
  }
  switch (type) {
    case frameType.synStream: {
      const streamId = id(0)
      const associatedId = id(4)
      if (body.length < 10) throw new StreamingError('SYN_STREAM is too short')
      return { kind: 'synStream', streamId, associatedId, fin, unidirectional: (flags & flagUnidirectional) !== 0, block: body.subarray(10) }
    }
    case frameType.synReply:
      return { kind: 'synReply', streamId: id(0), fin, block: body.subarray(4) }
    case frameType.headers:
      return { kind: 'headers', streamId: id(0), fin, block: body.subarray(4) }
    case frameType.rstStream:
      return { kind: 'rstStream', streamId: id(0), status: word(4) }
    case frameType.ping:
      return { kind: 'ping', id: word(0) }
    case frameType.goAway:
      return { kind: 'goAway', lastGoodStreamId: id(0), status: body.length >= 8 ? word(4) : 0 }
    case frameType.windowUpdate:
      return { kind: 'windowUpdate', streamId: id(0), delta: id(4) }
    case frameType.settings:
      return { kind: 'settings' }
    default:
      return { kind: 'unknown', type }
  }
}

function control(type: number, flags: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(0x8000 | version, 0)
  header.writeUInt16BE(type, 2)
  header.writeUInt8(flags, 4)
  header.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([header, body])
}

function words(...values: number[]): Buffer {
  const body = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => body.writeUInt32BE(value, index * 4))
  return body
}

/** The bytes of frames. */
export const encode = {
  /** The header of a data frame; its payload follows. */
  dataHeader(streamId: number, length: number, fin: boolean): Buffer {
    const header = Buffer.alloc(8)
    header.writeUInt32BE(streamId, 0)
    header.writeUInt8(fin ? flagFin : 0, 4)
    header.writeUIntBE(length, 5, 3)
    return header
  },
  synStream: (streamId: number, block: Buffer, fin: boolean): Buffer => control(frameType.synStream, fin ? flagFin : 0, Buffer.concat([words(streamId, 0), Buffer.alloc(2), block])),
  synReply: (streamId: number, block: Buffer, fin: boolean): Buffer => control(frameType.synReply, fin ? flagFin : 0, Buffer.concat([words(streamId), block])),
  rstStream: (streamId: number, status: number): Buffer => control(frameType.rstStream, 0, words(streamId, status)),
  ping: (id: number): Buffer => control(frameType.ping, 0, words(id)),
  goAway: (lastGoodStreamId: number, status: number): Buffer => control(frameType.goAway, 0, words(lastGoodStreamId, status)),
  windowUpdate: (streamId: number, delta: number): Buffer => control(frameType.windowUpdate, 0, words(streamId, delta)),
}
