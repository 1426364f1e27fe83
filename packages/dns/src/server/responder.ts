import type { Forwarder } from '../forward/forward.ts'
import { encodeAnswer, encodeFailure, encodeQuestion, ednsSize } from '../wire/encode.ts'
import { type Query, readQuery } from '../wire/read-query.ts'
import { readReply, type Reply } from '../wire/read-reply.ts'
import { type Answer, rcodeName, type Rcode } from '../wire/records.ts'
import { lookup, type LookupSettings, noData } from '../zone/lookup.ts'
import type { Zone } from '../zone/zone.ts'

export interface ResponderOptions {
  zone: Zone
  settings: LookupSettings
  forwarder: Pick<Forwarder, 'forward'>
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

const classIn = 1
const classAny = 255

/** Names that lead to names: as many in a row as CoreDNS follows. */
const greatestChain = 8

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
    const limit = protocol === 'tcp' ? 65535 : Math.min(query.udpSize, ednsSize)
    try {
      return await this.#answer(bytes, query, protocol, limit, start)
    } catch {
      return encodeAnswer(query, failure('SERVFAIL'), limit)
    }
  }

  async #answer(bytes: Buffer, query: Query, protocol: 'udp' | 'tcp', limit: number, start: number): Promise<Buffer> {
    const local = this.#local(query)
    if (local) {
      const answer = local.alias === undefined ? local : await this.#follow(local, local.alias, query, protocol)
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
    if (query.class !== classIn && query.class !== classAny) return failure('REFUSED')
    if (query.type === 'AXFR' || query.type === 'IXFR') return failure('REFUSED')
    const answer = lookup(this.#o.zone, this.#o.settings, query.name, query.type)
    return answer && !this.#o.synced() ? failure('SERVFAIL') : answer
  }

  /** An ExternalName's target belongs into the answer: the client's library does not ask again. One that leads round and round, or too far, has no records, as in CoreDNS. */
  async #follow(first: Answer, alias: string, query: Query, protocol: 'udp' | 'tcp'): Promise<Answer> {
    const { zone, settings } = this.#o
    const seen = new Set([query.name.toLowerCase()])
    const answers = [...first.answers]
    let target = alias
    while (seen.size <= greatestChain && !seen.has(target.toLowerCase())) {
      seen.add(target.toLowerCase())
      const inside = lookup(zone, settings, target, query.type)
      if (!inside) return this.#outside(answers, target, query.typeNumber, protocol)
      answers.push(...inside.answers)
      if (inside.alias === undefined) return { ...inside, answers }
      target = inside.alias
    }
    return noData(zone, settings)
  }

  /** What others say to the end of a chain. That it does not exist is theirs to say, too; any other failure is one of ours. */
  async #outside(answers: Answer['answers'], target: string, type: number, protocol: 'udp' | 'tcp'): Promise<Answer> {
    const question = encodeQuestion(target, type)
    let reply: Reply
    try {
      reply = readReply(await this.#o.forwarder.forward(question, protocol))
      if (reply.truncated && protocol === 'udp') reply = readReply(await this.#o.forwarder.forward(question, 'tcp'))
    } catch {
      return failure('SERVFAIL')
    }
    if (reply.rcode !== 'NOERROR' && reply.rcode !== 'NXDOMAIN') return failure('SERVFAIL')
    return { rcode: reply.rcode, answers: [...answers, ...reply.answers], authority: reply.authority, additional: [] }
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
