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
  const reader = new VarintReader(bytes)
  let stream: LogEntry['stream'] | undefined
  let time = 0n
  let line: Buffer = Buffer.alloc(0)
  let partial = false
  while (reader.position < bytes.length) {
    const key = reader.small()
    if ((key & 7) === 0) {
      if (key >> 3 === 2) time = reader.long()
      else if (key >> 3 === 4) partial = reader.small() !== 0
      else reader.long()
    } else if ((key & 7) === 2) {
      const length = reader.small()
      const start = reader.position
      reader.position += length
      if (key >> 3 === 1) stream = streamOf(bytes, start, length)
      else if (key >> 3 === 3) line = bytes.subarray(start, reader.position)
      else if (key >> 3 === 5) partial = !isLastPiece(bytes.subarray(start, reader.position))
    } else return undefined
  }
  return reader.position === bytes.length && stream ? { stream, time, line, partial } : undefined
}

/** Reads protobuf's varints; one that does not end within the bytes puts the position behind them. */
class VarintReader {
  position = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** A number of at most 32 bits. */
  small(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.position++] ?? -1
      if (byte < 0) break
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    this.position = this.bytes.length + 1
    return 0
  }

  /** A number of 64 bits: added up in two halves, since large integers are slow. */
  long(): bigint {
    let low = 0
    let high = 0
    for (let count = 0; count < 10; count++) {
      const byte = this.bytes[this.position++] ?? -1
      if (byte < 0) break
      if (count < 4) low += (byte & 0x7f) * 2 ** (7 * count)
      else high += (byte & 0x7f) * 2 ** (7 * (count - 4))
      if (byte < 0x80) return BigInt.asIntN(64, BigInt(high) * 268_435_456n + BigInt(low))
    }
    this.position = this.bytes.length + 1
    return 0n
  }
}

function streamOf(bytes: Buffer, start: number, length: number): LogEntry['stream'] | undefined {
  if (length !== 6) return undefined
  const name = bytes.toString('latin1', start, start + length)
  return name === 'stdout' || name === 'stderr' ? name : undefined
}

/** The piece's description says `last` in its first field, which is left out when false. */
function isLastPiece(metadata: Buffer): boolean {
  return metadata.length >= 2 && metadata[0] === 0x08 && metadata[1] !== 0
}
