// A snapshot as lines of JSON: what it is, a line for each key, and at the end how many there were and a hash over all lines before it.
import { createHash } from 'node:crypto'
import type { SnapshotRecord, SnapshotSource } from './record.ts'

const format = 'berth-snapshot'
const version = 1
const protobufMagic = Buffer.from('k8s\0')

interface Header { format: string, version: number, source: 'sqlite' | 'etcd3', revision: number, time: string }
interface Line { key: string, created: number, modified: number, text?: string, base64?: string }
interface Trailer { entries: number, sha256: string }

/** What a snapshot says of itself. */
export interface SnapshotSummary {
  source: 'sqlite' | 'etcd3'
  revision: number
  /** When it was saved. */
  time: string
  entries: number
  sha256: string
}

/** Something is wrong with a snapshot: it is none, it is cut off, it was changed. */
export class SnapshotDamaged extends Error {
  override readonly name = 'SnapshotDamaged'
}

/** Writes the lines, in pieces of some size. `told` learns how many keys there were so far; the summary is what the generator returns. */
export async function* writeLines(source: SnapshotSource, time: string, told: (entries: number) => void = () => {}): AsyncGenerator<string, SnapshotSummary> {
  const hash = createHash('sha256')
  const header: Header = { format, version, source: source.source, revision: source.revision, time }
  let piece = `${JSON.stringify(header)}\n`
  let entries = 0
  for await (const { key, value, created, modified } of source.records) {
    const line: Line = { key, created, modified, ...(isProtobuf(value) ? { base64: Buffer.from(value).toString('base64') } : { text: new TextDecoder().decode(value) }) }
    piece += `${JSON.stringify(line)}\n`
    entries++
    if (piece.length < 64 * 1024) continue
    hash.update(piece)
    yield piece
    piece = ''
    told(entries)
  }
  hash.update(piece)
  const trailer: Trailer = { entries, sha256: hash.digest('hex') }
  yield `${piece}${JSON.stringify(trailer)}\n`
  return { source: source.source, revision: source.revision, time, ...trailer }
}

function isProtobuf(value: Uint8Array): boolean {
  return Buffer.compare(value.subarray(0, protobufMagic.length), protobufMagic) === 0
}

/**
 * Reads lines: first of all the header, then a record a line. What was read is known to be whole, and the summary is returned, only once the generator has
 * ended. Throws SnapshotDamaged.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Pick<SnapshotSummary, 'source' | 'revision' | 'time'> | SnapshotRecord, SnapshotSummary> {
  const hash = createHash('sha256')
  let header: Header | undefined
  let entries = 0
  let trailer: Trailer | undefined
  for await (const line of splitLines(chunks)) {
    if (trailer) throw new SnapshotDamaged('the snapshot goes on behind its end')
    const value = parse(line)
    if (!header) {
      header = value as Header
      if (header.format !== format) throw new SnapshotDamaged('this is no snapshot')
      if (header.version > version) throw new SnapshotDamaged(`the snapshot is of version ${header.version}; this program knows ${version}`)
      yield { source: header.source, revision: header.revision, time: header.time }
    } else if (typeof (value as Trailer).sha256 === 'string') {
      trailer = value as Trailer
      continue
    } else {
      const { key, created, modified, text, base64 } = value as Line
      yield { key, created, modified, value: base64 === undefined ? new TextEncoder().encode(text) : Buffer.from(base64, 'base64') }
      entries++
    }
    hash.update(line).update('\n')
  }
  if (!header || !trailer) throw new SnapshotDamaged('the snapshot is cut off')
  const sha256 = hash.digest('hex')
  if (sha256 !== trailer.sha256 || entries !== trailer.entries) throw new SnapshotDamaged('the snapshot was changed: its hash does not fit')
  return { source: header.source, revision: header.revision, time: header.time, entries, sha256 }
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch (error) {
    throw new SnapshotDamaged('the snapshot is damaged: a line of it cannot be read', { cause: error })
  }
}

/** Whole lines, without their ends. */
async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = []
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let from = 0
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
      const line = bytes.subarray(from, at)
      yield rest.length > 0 ? Buffer.concat([...rest, line]) : line
      rest = []
      from = at + 1
    }
    if (from < bytes.length) rest.push(bytes.subarray(from))
  }
  if (rest.length > 0) throw new SnapshotDamaged('the snapshot is cut off')
}
