import { decode, encode, type RecordType } from 'dns-packet'
import type { Forwarder } from '../forward/forward.ts'
import { encodeAnswer, encodeFailure, ednsSize } from '../wire/encode.ts'
import { type Query, readQuery } from '../wire/read-query.ts'
import { type Answer, rcodes, type Rcode, type ResourceRecord } from '../wire/records.ts'
import { lookup, type LookupSettings } from '../zone/lookup.ts'
import type { Zone } from '../zone/zone.ts'

export interface ResponderOptions {
  zone: Zone
  settings: LookupSettings
  forwarder: Forwarder
  /** Whether the zone holds what the API server says; before that its names get SERVFAIL, not a wrong NXDOMAIN. */
  synced: () => boolean
  /** From 0 to below 1, for the order of addresses. */
  random: () => number
  observe: (observation: Observation) => void
}

/** One answered question, for metrics. */
export interface Observation {
  zone: string
  protocol: 'udp' | 'tcp'
  type: string
  rcode: string
  plugin: string
  seconds: number
}

/** The types that CoreDNS's metrics name; all others count together. */
const namedTypes = new Set(['AAAA', 'A', 'CNAME', 'DNSKEY', 'DS', 'HTTPS', 'MX', 'NS', 'NSEC', 'NSEC3', 'PTR', 'RRSIG', 'SOA', 'SRV', 'TXT'])

/** Answers one message at a time; pure but for forwarding, so it can be tested by bytes in and bytes out. */
export class Responder {
  readonly #o: ResponderOptions

  constructor(options: ResponderOptions) {
    this.#o = options
  }

  /** The bytes to send back; undefined: nothing. Never rejects. */
  async respond(bytes: Buffer, protocol: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const start = performance.now()
    const read = readQuery(bytes)
    if ('bad' in read) {
      if (!read.bad.ignore) this.#observe(start, protocol, { rcode: read.bad.rcode })
      return read.bad.ignore ? undefined : encodeFailure(read.bad)
    }
    const { query } = read
    const limit = protocol === 'tcp' ? 65535 : Math.min(query.udpSize, Math.max(ednsSize, 512))
    const local = this.#local(query)
    if (local) {
      const answer = 'alias' in local && local.alias !== undefined ? await this.#follow(local, local.alias, query, protocol) : local
      this.#observe(start, protocol, { rcode: answer.rcode, type: query.type, zone: this.#o.settings.zone, plugin: 'kubernetes' })
      return encodeAnswer(query, this.#shuffled(answer), limit)
    }
    try {
      const answer = await this.#o.forwarder.forward(bytes, protocol)
      this.#observe(start, protocol, { rcode: rcodeName((answer[3] ?? 0) & 15), type: query.type, plugin: 'forward' })
      return answer
    } catch {
      this.#observe(start, protocol, { rcode: 'SERVFAIL', type: query.type, plugin: 'forward' })
      return encodeAnswer(query, failure('SERVFAIL'), limit)
    }
  }

  /** What the zone answers; undefined: it is to be forwarded. */
  #local(query: Query): (Answer & { alias?: string }) | undefined {
    if (query.class !== 'IN' && query.class !== 'ANY') return failure('REFUSED')
    if (query.type === 'AXFR' || query.type === 'IXFR') return failure('REFUSED')
    const answer = lookup(this.#o.zone, this.#o.settings, query.name, query.type)
    return answer && !this.#o.synced() ? failure('SERVFAIL') : answer
  }

  /** An ExternalName's target belongs into the answer: the client's library does not ask again. */
  async #follow(answer: Answer, target: string, query: Query, protocol: 'udp' | 'tcp'): Promise<Answer> {
    const inside = lookup(this.#o.zone, this.#o.settings, target, query.type)
    if (inside) return { ...answer, answers: [...answer.answers, ...inside.answers], authority: inside.authority }
    try {
      const question = encode({ type: 'query', id: 0, flags: 0x100, questions: [{ name: target, type: query.type as RecordType, class: 'IN' }] })
      const reply = decode(await this.#o.forwarder.forward(question, protocol))
      return { ...answer, answers: [...answer.answers, ...(reply.answers ?? []).flatMap((record) => convert(record))] }
    } catch {
      return failure('SERVFAIL')
    }
  }

  // Clients take the first address: each should get another one.
  #shuffled(answer: Answer): Answer {
    const fixed = answer.answers.filter((record) => record.type === 'CNAME')
    const rest = answer.answers.filter((record) => record.type !== 'CNAME')
    for (let i = rest.length - 1; i > 0; i--) {
      const j = Math.floor(this.#o.random() * (i + 1))
      const [a, b] = [rest[i], rest[j]]
      if (a && b) [rest[i], rest[j]] = [b, a]
    }
    return { ...answer, answers: [...fixed, ...rest] }
  }

  #observe(start: number, protocol: 'udp' | 'tcp', { rcode, type = 'other', zone = '', plugin = '' }: { rcode: string; type?: string; zone?: string; plugin?: string }): void {
    this.#o.observe({ zone: zone === '' ? '.' : `${zone}.`, protocol, type: namedTypes.has(type) ? type : 'other', rcode, plugin, seconds: (performance.now() - start) / 1000 })
  }
}

function failure(rcode: Rcode): Answer {
  return { rcode, answers: [], authority: [], additional: [] }
}

function rcodeName(number: number): string {
  return Object.entries(rcodes).find(([, value]) => value === number)?.[0] ?? String(number)
}

// Of a foreign answer only what an address question can have.
function convert(record: { type: string; name?: string; ttl?: number; data?: unknown }): ResourceRecord[] {
  const { name = '', ttl = 0, data } = record
  if (typeof data !== 'string') return []
  if (record.type === 'A' || record.type === 'AAAA') return [{ name, ttl, type: record.type, address: data }]
  return record.type === 'CNAME' ? [{ name, ttl, type: 'CNAME', target: data }] : []
}
