import { decode } from 'dns-packet'
import type { Rcode } from './records.ts'

/** A query, read: what is needed to answer it. */
export interface Query {
  id: number
  /** As asked, for the answer repeats it. */
  name: string
  /** `A`, `SRV`, `TYPE65` ... */
  type: string
  class: string
  recursionDesired: boolean
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
    const packet = decode(bytes)
    const question = packet.questions?.[0]
    if (!question) return bad('FORMERR')
    const end = endOfQuestion(bytes)
    const opt = packet.additionals?.find((record) => record.type === 'OPT')
    if (opt?.type === 'OPT' && opt.ednsVersion !== 0) return bad('BADVERS')
    const udpSize = opt?.type === 'OPT' ? Math.max(512, opt.udpPayloadSize) : 512
    const type = bytes.readUInt16BE(end - 4)
    return {
      query: {
        id, name: question.name === '.' ? '' : question.name, type: question.type.startsWith('UNKNOWN') ? `TYPE${type}` : question.type, class: question.class ?? 'IN', recursionDesired, udpSize,
        edns: opt !== undefined, question: bytes.subarray(12, end),
      },
    }
  } catch {
    return bad('FORMERR')
  }
}

function endOfQuestion(bytes: Buffer): number {
  let at = 12
  for (;;) {
    const length = bytes[at]
    // Compression has nothing to point to in the first name of a packet.
    if (length === undefined || length > 63) throw new RangeError('bad name')
    at += 1 + length
    if (length === 0) break
  }
  if (at + 4 > bytes.length) throw new RangeError('question is cut off')
  return at + 4
}
