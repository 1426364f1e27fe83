/**
 * How the Engine keeps our containers' output until it is in the CRI log: its `local` driver, whose files hold every byte as it was written (json-file replaces what is not
 * UTF-8). This bounds what may be written while the shim is down before something is lost: three files of 16 MiB at least.
 */
export const localLogOptions = { 'max-size': '16m', 'max-file': '4', compress: 'false' }

/** One entry of a local log: a line, or a piece of a long one. */
export interface LogEntry {
  stream: 'stdout' | 'stderr'
  /** Nanoseconds since 1970. */
  time: bigint
  line: Buffer
  /** Whether the line goes on in a later entry of this stream. */
  partial: boolean
}

/** An entry's protobuf is smaller than this: 16 KiB of line and its description. */
const maxEntryBytes = 1024 * 1024

/**
 * Reads entries out of a local log's bytes: each is framed by its length before and after it. Bytes that are no entry (the Engine was killed while it wrote) are passed over
 * to the next one that is whole.
 */
export class LocalLogParser {
  private rest: Buffer = Buffer.alloc(0)
  /** How many bytes were passed over. */
  skipped = 0

  /** How many bytes wait for the rest of their entry. */
  get pending(): number {
    return this.rest.length
  }

  /** The entries that these bytes complete. */
  *push(chunk: Buffer): Generator<LogEntry> {
    yield* this.parse(chunk, false)
  }

  /** The whole entries among bytes that wait for a rest which will not come: the file has ended. */
  *end(): Generator<LogEntry> {
    yield* this.parse(Buffer.alloc(0), true)
  }

  private *parse(chunk: Buffer, ended: boolean): Generator<LogEntry> {
    let bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    this.rest = Buffer.alloc(0)
    while (bytes.length >= 4) {
      const size = bytes.readUInt32BE(0)
      const possible = size > 0 && size <= maxEntryBytes
      const here = bytes.length >= size + 8
      if (possible && !here && !ended) break
      const entry = possible && here && bytes.readUInt32BE(size + 4) === size ? decodeEntry(bytes.subarray(4, size + 4)) : undefined
      if (entry) yield entry
      else this.skipped += 1
      bytes = bytes.subarray(entry ? size + 8 : 1)
    }
    // A copy, so that the large buffer it came in can go.
    this.rest = ended ? Buffer.alloc(0) : Buffer.from(bytes)
  }
}

/** LogEntry of the Engine's logdriver protobuf: 1 source, 2 time_nano, 3 line, 4 partial, 5 partial_log_metadata { 1 last }. */
function decodeEntry(bytes: Buffer): LogEntry | undefined {
  let source = ''
  let time = 0n
  let line: Buffer = Buffer.alloc(0)
  let partial = false
  let position = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; position < bytes.length && shift < 70n; shift += 7n) {
      const byte = bytes[position++] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    position = bytes.length + 1
    return value
  }
  while (position < bytes.length) {
    const key = Number(varint())
    if ((key & 7) === 0) {
      const value = varint()
      if (key >> 3 === 2) time = BigInt.asIntN(64, value)
      else if (key >> 3 === 4) partial = value !== 0n
    } else if ((key & 7) === 2) {
      const length = Number(varint())
      const value = bytes.subarray(position, position + length)
      position += length
      if (key >> 3 === 1) source = value.toString('latin1')
      else if (key >> 3 === 3) line = value
      else if (key >> 3 === 5) partial = !isLastPiece(value)
    } else return undefined
  }
  if (position !== bytes.length || (source !== 'stdout' && source !== 'stderr')) return undefined
  return { stream: source, time, line, partial }
}

/** The piece's description says `last` in its first field, which is left out when false. */
function isLastPiece(metadata: Buffer): boolean {
  return metadata.length >= 2 && metadata[0] === 0x08 && metadata[1] !== 0
}
