import { readName, skipName } from './names.ts'
import { type Rcode, typeName, typeNumbers } from './records.ts'

/** A query, read: what is needed to answer it. */
export interface Query {
  id: number
  /** As asked (see names.ts), for the answer repeats it. */
  name: string
  /** `A`, `SRV`, `TYPE65280` ... */
  type: string
  typeNumber: number
  class: number
  recursionDesired: boolean
  checkingDisabled: boolean
  /** What the client can take by UDP: 512 without EDNS. */
  udpSize: number
  edns: boolean
  /** The question section's bytes, to be repeated. */
  question: Buffer
}

/** What cannot be answered properly: a header is all there is to send back. */
export interface BadQuery {
  id: number
  rcode: Rcode
  /** Nothing at all is sent: it was an answer, or shorter than a header. */
  ignore: boolean
  opcode: number
  recursionDesired: boolean
}

/** Reads a query. Never throws: what is malformed or not a plain query comes back as BadQuery. */
export function readQuery(bytes: Buffer): { query: Query } | { bad: BadQuery } {
  if (bytes.length < 12) return { bad: { id: 0, rcode: 'FORMERR', ignore: true, opcode: 0, recursionDesired: false } }
  const id = bytes.readUInt16BE(0)
  const flags = bytes.readUInt16BE(2)
  const opcode = (flags >> 11) & 15
  const recursionDesired = (flags & 0x100) !== 0
  // An answer to an answer would let two servers talk for ever.
  const bad = (rcode: Rcode): { bad: BadQuery } => ({ bad: { id, rcode, ignore: (flags & 0x8000) !== 0, opcode, recursionDesired } })
  if ((flags & 0x8000) !== 0) return bad('FORMERR')
  if (opcode !== 0) return bad('NOTIMP')
  if (bytes.readUInt16BE(4) !== 1) return bad('FORMERR')
  try {
    const end = skipPlainName(bytes)
    const { name } = readName(bytes, 12)
    const type = bytes.readUInt16BE(end)
    const opt = readOpt(bytes, end + 4)
    if (opt && opt.version !== 0) return bad('BADVERS')
    return {
      query: {
        id, name, type: typeName(type), typeNumber: type, class: bytes.readUInt16BE(end + 2), recursionDesired, checkingDisabled: (flags & 0x10) !== 0, edns: opt !== undefined,
        udpSize: Math.max(512, opt?.udpSize ?? 0), question: bytes.subarray(12, end + 4),
      },
    }
  } catch {
    return bad('FORMERR')
  }
}

/** The place after the question's name. Compression has nothing to point to in the first name of a packet. */
function skipPlainName(bytes: Buffer): number {
  let at = 12
  for (let length = bytes.readUInt8(at); length > 0; length = bytes.readUInt8(at)) {
    if (length > 63) throw new RangeError('the question is compressed')
    at += 1 + length
  }
  return at + 1
}

/** Finds the OPT record behind the question (RFC 6891). Throws RangeError for records that are cut off, and for a second OPT. */
function readOpt(bytes: Buffer, at: number): { version: number; udpSize: number } | undefined {
  const others = bytes.readUInt16BE(6) + bytes.readUInt16BE(8)
  const all = others + bytes.readUInt16BE(10)
  let found: { version: number; udpSize: number } | undefined
  for (let i = 0; i < all; i++) {
    const header = skipName(bytes, at)
    const type = bytes.readUInt16BE(header)
    at = header + 10 + bytes.readUInt16BE(header + 8)
    if (at > bytes.length) throw new RangeError('a record is cut off')
    if (type !== typeNumbers.OPT || i < others) continue
    if (found) throw new RangeError('two OPT records')
    found = { version: bytes.readUInt8(header + 5), udpSize: bytes.readUInt16BE(header + 2) }
  }
  return found
}
