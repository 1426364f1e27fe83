import type { BadQuery, Query } from './read-query.ts'
import { type Answer, rcodes, type ResourceRecord, typeNumbers } from './records.ts'
import { Writer } from './writer.ts'

/** What we take by UDP ourselves, and the most we send: it fits into every path without fragments. */
export const ednsSize = 1232

const flags = { response: 0x8000, authoritative: 0x400, truncated: 0x200, recursionDesired: 0x100, recursionAvailable: 0x80, checkingDisabled: 0x10 } as const
const optLength = 11

/**
 * The packet that answers a query. What does not fit into `limit` bytes is left out: first the additional section, without a word; then as many answers as it takes, and
 * the packet says that it is truncated, so that the client asks again by TCP.
 */
export function encodeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const out = new Writer()
  const end = limit - (query.edns ? optLength : 0)
  const head = headerFlags(query, answer)
  for (const number of [query.id, head, 1, 0, 0, 0]) out.u16(number)
  out.question(query.question, query.name)
  const answers = writeRecords(out, answer.answers, end)
  const authority = answers === answer.answers.length ? writeRecords(out, answer.authority, end) : 0
  const whole = answers + authority === answer.answers.length + answer.authority.length
  const before = out.length
  let additional = whole ? writeRecords(out, answer.additional, end) : 0
  if (additional < answer.additional.length) {
    out.cut(before)
    additional = 0
  }
  if (!whole) out.u16At(2, head | flags.truncated)
  out.u16At(6, answers)
  out.u16At(8, authority)
  out.u16At(10, additional + (query.edns ? 1 : 0))
  if (query.edns) writeOpt(out, rcodes[answer.rcode] >> 4)
  return out.message()
}

// Like CoreDNS, we claim nothing about what we could not answer. We do recurse, and say so where there is an answer.
function headerFlags({ recursionDesired, checkingDisabled }: Query, { rcode }: Answer): number {
  const known = rcode === 'NOERROR' || rcode === 'NXDOMAIN' ? flags.authoritative | flags.recursionAvailable : 0
  return flags.response | known | (recursionDesired ? flags.recursionDesired : 0) | (checkingDisabled ? flags.checkingDisabled : 0) | (rcodes[rcode] & 15)
}

/** A question of our own, with id 0: whoever sends it gives it one. */
export function encodeQuestion(name: string, type: number): Buffer {
  const out = new Writer()
  for (const number of [0, flags.recursionDesired, 1, 0, 0, 0]) out.u16(number)
  out.name(name)
  out.u16(type)
  out.u16(1)
  return out.message()
}

/** A header that says what was wrong with a query. */
export function encodeFailure(bad: BadQuery): Buffer {
  const out = new Writer()
  out.u16(bad.id)
  out.u16(flags.response | (bad.opcode << 11) | (bad.recursionDesired ? flags.recursionDesired : 0) | (rcodes[bad.rcode] & 15))
  for (const count of [0, 0, 0, bad.rcode === 'BADVERS' ? 1 : 0]) out.u16(count)
  if (bad.rcode === 'BADVERS') writeOpt(out, rcodes[bad.rcode] >> 4)
  return out.message()
}

function writeOpt(out: Writer, extendedRcode: number): void {
  out.u8(0)
  out.u16(typeNumbers.OPT)
  out.u16(ednsSize)
  out.u32(extendedRcode * 2 ** 24)
  out.u16(0)
}

/** Writes records as long as they end before `end`. Gives how many. */
function writeRecords(out: Writer, records: readonly ResourceRecord[], end: number): number {
  for (const [i, record] of records.entries()) {
    const before = out.length
    writeRecord(out, record)
    if (out.length <= end) continue
    out.cut(before)
    return i
  }
  return records.length
}

function writeRecord(out: Writer, record: ResourceRecord): void {
  out.name(record.name)
  out.u16(record.type === 'RAW' ? record.number : typeNumbers[record.type])
  out.u16(1)
  out.u32(record.ttl)
  const at = out.length
  out.u16(0)
  writeData(out, record)
  out.size(at)
}

function writeData(out: Writer, record: ResourceRecord): void {
  switch (record.type) {
    case 'A':
    case 'AAAA': return out.address(record.address)
    case 'CNAME':
    case 'NS':
    case 'PTR': return out.name(record.target)
    case 'RAW': return out.bytes(record.data)
    case 'TXT': {
      const text = Buffer.from(record.text)
      out.u8(text.length)
      return out.bytes(text)
    }
    case 'SRV':
      for (const number of [record.priority, record.weight, record.port]) out.u16(number)
      return out.name(record.target)
    case 'SOA':
      out.name(record.mname)
      out.name(record.rname)
      for (const number of [record.serial, record.refresh, record.retry, record.expire, record.minimum]) out.u32(number)
  }
}
