// etcd v3's messages, as far as a store of objects needs them: fields by their numbers in etcdserverpb and mvccpb. Revisions are numbers (etcd counts
// them up one by one, so they stay exact); leases are 64 random bits and stay bigint.
import { Reader } from '../../protobuf/reader.ts'
import { Writer } from '../../protobuf/writer.ts'

/** One key at one version (mvccpb.KeyValue). */
export interface KeyValue {
  key: string
  value: Uint8Array
  createRevision: number
  modRevision: number
  /** How often the key was written since it was created. */
  version: number
}

/** RangeRequest. */
export interface RangeRequest {
  key: string
  /** Exclusive; absent: the one key. */
  rangeEnd?: string
  limit?: number
  /** As it was at that revision; absent: now. */
  revision?: number
  countOnly?: boolean
}

/** RangeResponse with its header's revision. */
export interface RangeResponse {
  revision: number
  kvs: KeyValue[]
  more: boolean
}

/** Compare: the key's modification revision or version must be this. */
export type Compare = { key: string, modRevision: number } | { key: string, version: number }

/** RequestOp. */
export type RequestOp =
  | { put: { key: string, value: Uint8Array, lease?: bigint } }
  | { deleteRange: { key: string, rangeEnd?: string } }
  | { range: RangeRequest }

/** TxnRequest. */
export interface TxnRequest {
  compare: Compare[]
  success: RequestOp[]
  failure: RequestOp[]
}

/** TxnResponse: of the answers only those of ranges are of interest. */
export interface TxnResponse {
  revision: number
  succeeded: boolean
  ranges: RangeResponse[]
}

/** mvccpb.Event. A deletion's `kv` has key and modRevision alone. */
export interface WatchEvent {
  type: 'PUT' | 'DELETE'
  kv: KeyValue
}

/** WatchResponse. */
export interface WatchResponse {
  revision: number
  created: boolean
  canceled: boolean
  /** Set when the watch wanted what is compacted away. */
  compactRevision: number
  cancelReason: string
  events: WatchEvent[]
}

const text = new TextDecoder()
const varint = 0
const bytes = 2

function putText(writer: Writer, number: number, value: string): void {
  if (value === '') return
  const mark = writer.length
  writer.text(value)
  writer.close(number, mark)
}

function putBytes(writer: Writer, number: number, value: Uint8Array): void {
  if (value.length === 0) return
  const mark = writer.length
  writer.bytes(value)
  writer.close(number, mark)
}

function putInteger(writer: Writer, number: number, value: number | bigint): void {
  if (value === 0 || value === 0n) return
  writer.varint(value)
  writer.tag(number, varint)
}

function putMessage(writer: Writer, number: number, write: () => void): void {
  const mark = writer.length
  write()
  writer.close(number, mark)
}

function encode(size: number, write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer(size)
  write(writer)
  return writer.finish()
}

// Messages are written back to front: the highest field number first.

function writeRange(writer: Writer, request: RangeRequest): void {
  putInteger(writer, 9, request.countOnly ? 1 : 0)
  putInteger(writer, 4, request.revision ?? 0)
  putInteger(writer, 3, request.limit ?? 0)
  putText(writer, 2, request.rangeEnd ?? '')
  putText(writer, 1, request.key)
}

export function encodeRange(request: RangeRequest): Uint8Array {
  return encode(256, (writer) => writeRange(writer, request))
}

function writePut(writer: Writer, { key, value, lease = 0n }: { key: string, value: Uint8Array, lease?: bigint }): void {
  putInteger(writer, 3, lease)
  putBytes(writer, 2, value)
  putText(writer, 1, key)
}

function writeDeleteRange(writer: Writer, { key, rangeEnd = '' }: { key: string, rangeEnd?: string }): void {
  putText(writer, 2, rangeEnd)
  putText(writer, 1, key)
}

function writeOp(writer: Writer, op: RequestOp): void {
  if ('put' in op) putMessage(writer, 2, () => writePut(writer, op.put))
  else if ('deleteRange' in op) putMessage(writer, 3, () => writeDeleteRange(writer, op.deleteRange))
  else putMessage(writer, 1, () => writeRange(writer, op.range))
}

function writeCompare(writer: Writer, compare: Compare): void {
  // CompareTarget: VERSION = 0, MOD = 2. The number that is compared with is part of a oneof: it is written even where it is 0.
  const [field, value, target] = 'version' in compare ? [4, compare.version, 0] : [6, compare.modRevision, 2]
  writer.varint(value)
  writer.tag(field, varint)
  putText(writer, 3, compare.key)
  putInteger(writer, 2, target)
}

export function encodeTxn(request: TxnRequest): Uint8Array {
  const size = request.success.reduce((sum, op) => sum + ('put' in op ? op.put.value.length : 0), 512)
  return encode(size, (writer) => {
    for (const op of request.failure.toReversed()) putMessage(writer, 3, () => writeOp(writer, op))
    for (const op of request.success.toReversed()) putMessage(writer, 2, () => writeOp(writer, op))
    for (const compare of request.compare.toReversed()) putMessage(writer, 1, () => writeCompare(writer, compare))
  })
}

export function encodeCompaction(revision: number): Uint8Array {
  return encode(16, (writer) => putInteger(writer, 1, revision))
}

export function encodeLeaseGrant(ttlSeconds: number): Uint8Array {
  return encode(16, (writer) => putInteger(writer, 1, ttlSeconds))
}

/** WatchRequest with a create_request: from `startRevision` on, told of progress. */
export function encodeWatchCreate(request: { key: string, rangeEnd: string, startRevision: number }): Uint8Array {
  return encode(256, (writer) => putMessage(writer, 1, () => {
    putInteger(writer, 4, 1)
    putInteger(writer, 3, request.startRevision)
    putText(writer, 2, request.rangeEnd)
    putText(writer, 1, request.key)
  }))
}

type FieldReader = (number: number, wire: 0 | 1 | 2 | 5, reader: Reader) => boolean

/** Goes through a message's fields; those that `take` does not want are skipped. */
function readFields(message: Uint8Array, take: FieldReader): void {
  const reader = new Reader(message)
  while (!reader.done) {
    const { number, wire } = reader.tag()
    if (!take(number, wire, reader)) reader.skip(wire)
  }
}

function readInteger(reader: Reader): number {
  return Number(BigInt.asIntN(64, reader.varint()))
}

function readHeader(message: Uint8Array): number {
  let revision = 0
  readFields(message, (number, wire, reader) => {
    if (number !== 3 || wire !== varint) return false
    revision = readInteger(reader)
    return true
  })
  return revision
}

function readKeyValue(message: Uint8Array): KeyValue {
  const kv: KeyValue = { key: '', value: new Uint8Array(), createRevision: 0, modRevision: 0, version: 0 }
  readFields(message, (number, wire, reader) => {
    if (number === 1 && wire === bytes) kv.key = text.decode(reader.bytes())
    else if (number === 2 && wire === varint) kv.createRevision = readInteger(reader)
    else if (number === 3 && wire === varint) kv.modRevision = readInteger(reader)
    else if (number === 4 && wire === varint) kv.version = readInteger(reader)
    // A copy: a value that lives on must not keep the whole answer it came in.
    else if (number === 5 && wire === bytes) kv.value = new Uint8Array(reader.bytes())
    else return false
    return true
  })
  return kv
}

export function decodeRange(message: Uint8Array): RangeResponse {
  const response: RangeResponse = { revision: 0, kvs: [], more: false }
  readFields(message, (number, wire, reader) => {
    if (number === 1 && wire === bytes) response.revision = readHeader(reader.bytes())
    else if (number === 2 && wire === bytes) response.kvs.push(readKeyValue(reader.bytes()))
    else if (number === 3 && wire === varint) response.more = reader.varint() !== 0n
    else return false
    return true
  })
  return response
}

export function decodeTxn(message: Uint8Array): TxnResponse {
  const response: TxnResponse = { revision: 0, succeeded: false, ranges: [] }
  readFields(message, (number, wire, reader) => {
    if (number === 1 && wire === bytes) response.revision = readHeader(reader.bytes())
    else if (number === 2 && wire === varint) response.succeeded = reader.varint() !== 0n
    else if (number === 3 && wire === bytes) {
      readFields(reader.bytes(), (op, opWire, inner) => {
        if (op !== 1 || opWire !== bytes) return false
        response.ranges.push(decodeRange(inner.bytes()))
        return true
      })
    } else return false
    return true
  })
  return response
}

/** LeaseGrantResponse: the lease, and for how many seconds it was given. */
export function decodeLeaseGrant(message: Uint8Array): { id: bigint, ttlSeconds: number } {
  const response = { id: 0n, ttlSeconds: 0 }
  readFields(message, (number, wire, reader) => {
    if (number === 2 && wire === varint) response.id = reader.varint()
    else if (number === 3 && wire === varint) response.ttlSeconds = readInteger(reader)
    else return false
    return true
  })
  return response
}

/** StatusResponse: etcd's version and the size of its database in bytes. */
export function decodeStatus(message: Uint8Array): { version: string, dbSize: number } {
  const response = { version: '', dbSize: 0 }
  readFields(message, (number, wire, reader) => {
    if (number === 2 && wire === bytes) response.version = text.decode(reader.bytes())
    else if (number === 3 && wire === varint) response.dbSize = readInteger(reader)
    else return false
    return true
  })
  return response
}

function readEvent(message: Uint8Array): WatchEvent {
  const event: WatchEvent = { type: 'PUT', kv: { key: '', value: new Uint8Array(), createRevision: 0, modRevision: 0, version: 0 } }
  readFields(message, (number, wire, reader) => {
    if (number === 1 && wire === varint) event.type = reader.varint() === 1n ? 'DELETE' : 'PUT'
    else if (number === 2 && wire === bytes) event.kv = readKeyValue(reader.bytes())
    else return false
    return true
  })
  return event
}

export function decodeWatch(message: Uint8Array): WatchResponse {
  const response: WatchResponse = { revision: 0, created: false, canceled: false, compactRevision: 0, cancelReason: '', events: [] }
  readFields(message, (number, wire, reader) => {
    if (number === 1 && wire === bytes) response.revision = readHeader(reader.bytes())
    else if (number === 3 && wire === varint) response.created = reader.varint() !== 0n
    else if (number === 4 && wire === varint) response.canceled = reader.varint() !== 0n
    else if (number === 5 && wire === varint) response.compactRevision = readInteger(reader)
    else if (number === 6 && wire === bytes) response.cancelReason = text.decode(reader.bytes())
    else if (number === 11 && wire === bytes) response.events.push(readEvent(reader.bytes()))
    else return false
    return true
  })
  return response
}
