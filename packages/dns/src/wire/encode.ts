import ipaddr from 'ipaddr.js'
import type { BadQuery, Query } from './read-query.ts'
import { type Answer, rcodes, type ResourceRecord, typeNumbers } from './records.ts'

/** What we take by UDP ourselves, and the most we send: it fits into every path without fragments. */
export const ednsSize = 1232

const flags = { response: 0x8000, authoritative: 0x400, truncated: 0x200, recursionDesired: 0x100, recursionAvailable: 0x80 } as const

/** Writes names with compression: a suffix that was written before is pointed to. */
class Writer {
  readonly #bytes: number[] = []
  readonly #names = new Map<string, number>()

  get length(): number {
    return this.#bytes.length
  }

  u16(number: number): void {
    this.#bytes.push((number >> 8) & 255, number & 255)
  }

  u32(number: number): void {
    this.u16(Math.floor(number / 65536))
    this.u16(number % 65536)
  }

  bytes(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte)
  }

  /** Remembers names that raw bytes hold at this place. */
  know(name: string, at: number): void {
    const labels = name.split('.')
    for (let i = 0, offset = at; i < labels.length; i++) {
      this.#names.set(labels.slice(i).join('.').toLowerCase(), offset)
      offset += 1 + Buffer.byteLength(labels[i] ?? '')
    }
  }

  name(name: string): void {
    const labels = name === '' ? [] : name.split('.')
    for (let i = 0; i < labels.length; i++) {
      const rest = labels.slice(i).join('.').toLowerCase()
      const known = this.#names.get(rest)
      if (known !== undefined) return this.u16(0xc000 + known)
      if (this.length < 0x3fff) this.#names.set(rest, this.length)
      const label = Buffer.from(labels[i] ?? '')
      this.#bytes.push(label.length)
      this.bytes(label)
    }
    this.#bytes.push(0)
  }

  /** A length of 16 bits, then what `write` writes. */
  sized(write: () => void): void {
    const at = this.length
    this.u16(0)
    write()
    const size = this.length - at - 2
    this.#bytes[at] = size >> 8
    this.#bytes[at + 1] = size & 255
  }



  buffer(): Buffer {
    return Buffer.from(this.#bytes)
  }
}

/**
 * The packet that answers a query. What does not fit into `limit` bytes is left out: first the additional section, without a word; then as many answers as it takes, and
 * the packet says that it is truncated, so that the client asks again by TCP.
 */
export function encodeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const whole = encode(query, answer, answer.answers.length, true)
  if (whole.length <= limit) return whole
  const without = encode(query, answer, answer.answers.length, false)
  if (without.length <= limit) return without
  let low = 0
  let high = answer.answers.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (encode(query, answer, middle, false).length <= limit) low = middle
    else high = middle - 1
  }
  return encode(query, answer, low, false, flags.truncated)
}

function encode(query: Query, answer: Answer, count: number, withAdditional: boolean, more = 0): Buffer {
  const answers = answer.answers.slice(0, count)
  const additional = withAdditional ? answer.additional : []
  const out = new Writer()
  out.u16(query.id)
  out.u16(flags.response | flags.authoritative | flags.recursionAvailable | more | (query.recursionDesired ? flags.recursionDesired : 0) | (rcodes[answer.rcode] & 15))
  out.u16(1)
  out.u16(answers.length)
  out.u16(answer.authority.length)
  out.u16(additional.length + (query.edns ? 1 : 0))
  out.bytes(query.question)
  if (query.name !== '') out.know(query.name, 12)
  for (const record of [...answers, ...answer.authority, ...additional]) writeRecord(out, record)
  if (query.edns) writeOpt(out, rcodes[answer.rcode] >> 4)
  return out.buffer()
}

/** A header that says what was wrong with a query. */
export function encodeFailure(bad: BadQuery): Buffer {
  const out = new Writer()
  out.u16(bad.id)
  out.u16(flags.response | (bad.opcode << 11) | (bad.recursionDesired ? flags.recursionDesired : 0) | (rcodes[bad.rcode] & 15))
  for (const count of [0, 0, 0, bad.rcode === 'BADVERS' ? 1 : 0]) out.u16(count)
  if (bad.rcode === 'BADVERS') writeOpt(out, rcodes[bad.rcode] >> 4)
  return out.buffer()
}

function writeOpt(out: Writer, extendedRcode: number): void {
  out.bytes([0])
  out.u16(typeNumbers.OPT)
  out.u16(ednsSize)
  out.u32(extendedRcode * 2 ** 24)
  out.u16(0)
}

function writeRecord(out: Writer, record: ResourceRecord): void {
  out.name(record.name)
  out.u16(typeNumbers[record.type])
  out.u16(1)
  out.u32(record.ttl)
  out.sized(() => writeData(out, record))
}

function writeData(out: Writer, record: ResourceRecord): void {
  switch (record.type) {
    case 'A':
    case 'AAAA': return out.bytes(ipaddr.parse(record.address).toByteArray())
    case 'CNAME':
    case 'NS':
    case 'PTR': return out.name(record.target)
    case 'TXT': {
      const text = Buffer.from(record.text)
      return out.bytes([text.length, ...text])
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
