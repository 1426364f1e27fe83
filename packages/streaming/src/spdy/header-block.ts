import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { StreamingError } from '../errors.ts'
import { dictionary, dictionaryId } from './dictionary.ts'

/** A stream's headers, by their names in lower case. Several values of one name are joined by NUL on the wire and by ", " here. */
export type SpdyHeaders = Readonly<Record<string, string>>

/** The most that the headers of one frame may be when decompressed. */
export const maxHeaderBytes = 64 * 1024

/** How far back a deflate stream can refer. */
const windowBytes = 32 * 1024

// A header block is a piece of one zlib stream that lasts as long as the connection. Every piece ends with a sync flush, that is, on a byte boundary and with
// nothing carried over but the window: so each can be coded by itself, synchronously, if the window is handed on as the next piece's dictionary.

/** Compresses the header blocks of one direction of a connection. */
export class HeaderCompressor {
  private started = false

  /** The compressed block; blocks must go out in the order of these calls. */
  compress(headers: SpdyHeaders): Buffer {
    // Our blocks refer to nothing before themselves, which any peer can read and which needs no window. They are a few dozen bytes.
    const piece = deflateRawSync(encodeBlock(headers), { finishFlush: constants.Z_SYNC_FLUSH, windowBits: 15, memLevel: 1 })
    if (this.started) return piece
    this.started = true
    const start = Buffer.from([0x78, 0xbb, 0, 0, 0, 0])
    start.writeUInt32BE(dictionaryId, 2)
    return Buffer.concat([start, piece])
  }
}

/** Decompresses the header blocks of the other direction. */
export class HeaderDecompressor {
  private started = false
  private window: Buffer = dictionary

  /** The headers of the next block. Throws StreamingError on what is not one, or is larger than `maxHeaderBytes`. */
  decompress(block: Buffer): SpdyHeaders {
    const piece = this.started ? block : withoutStreamHeader(block)
    this.started = true
    let plain: Buffer
    try {
      plain = inflateRawSync(piece, { dictionary: this.window, finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxHeaderBytes })
    } catch (error) {
      throw new StreamingError(`SPDY headers cannot be decompressed: ${(error as Error).message}`, { cause: error })
    }
    this.window = plain.length >= windowBytes ? plain.subarray(-windowBytes) : Buffer.concat([this.window, plain]).subarray(-windowBytes)
    return decodeBlock(plain)
  }
}

function withoutStreamHeader(block: Buffer): Buffer {
  if (block.length < 6) throw new StreamingError('SPDY headers are too short')
  const method = block.readUInt8(0)
  const flags = block.readUInt8(1)
  if ((method & 0x0f) !== 8 || ((method << 8) | flags) % 31 !== 0) throw new StreamingError('SPDY headers are not a zlib stream')
  if ((flags & 0x20) === 0) return block.subarray(2)
  if (block.readUInt32BE(2) !== dictionaryId) throw new StreamingError('SPDY headers use an unknown dictionary')
  return block.subarray(6)
}

function encodeBlock(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers)
  const parts: Buffer[] = [uint32(entries.length)]
  for (const [name, value] of entries) {
    const nameBytes = Buffer.from(name.toLowerCase())
    const valueBytes = Buffer.from(value)
    parts.push(uint32(nameBytes.length), nameBytes, uint32(valueBytes.length), valueBytes)
  }
  return Buffer.concat(parts)
}

function decodeBlock(plain: Buffer): SpdyHeaders {
  let position = 0
  const take = (count: number): Buffer => {
    if (count > plain.length - position) throw new StreamingError('SPDY headers end too early')
    position += count
    return plain.subarray(position - count, position)
  }
  const text = (): string => take(take(4).readUInt32BE(0)).toString('utf8')
  const headers = new Map<string, string>()
  for (let count = take(4).readUInt32BE(0); count > 0; count--) {
    const name = text()
    if (name === '' || headers.has(name.toLowerCase())) throw new StreamingError('SPDY headers have an empty or repeated name')
    headers.set(name.toLowerCase(), text().replaceAll('\0', ', '))
  }
  if (position !== plain.length) throw new StreamingError('SPDY headers have bytes left over')
  return Object.fromEntries(headers)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
